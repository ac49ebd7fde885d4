#!/usr/bin/env bash
# Writes the golden files of the tests again: every scripts/golden/*.py, with the Python environment.
# The writers find the real model in ST_HOST_MODEL, and larger data in ST_HOST_DATA where there is any.
# usage: golden.sh [WRITER.py ...]
set -euo pipefail
cd "$(dirname "$0")/../.."

export ST_HOST_PYTHON_REQUIRED=1
source scripts/dev/python-env.sh
if [ -z "${ST_HOST_DATA:-}" ] && [ -d ../shared/data ]; then
    export ST_HOST_DATA=$PWD/../shared/data
fi
[ $# -gt 0 ] || set -- scripts/golden/*.py
for writer in "$@"; do
    case $(basename "$writer") in _*) continue ;; esac # shared helpers
    echo "golden: $writer"
    "$ST_HOST_PYTHON" "$writer"
done
