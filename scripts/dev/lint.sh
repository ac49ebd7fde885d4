#!/usr/bin/env bash
# What `make lint` checks besides the build: Swift format, the rules of check_sources.py, shell and
# Python scripts. Checks everything before it fails, so that one run shows all there is to mend.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

failed=0
check() { # NAME COMMAND...
    local name=$1
    shift
    "$@" || { echo "lint: $name failed" >&2; failed=1; }
}

mapfile -t shell_scripts < <(git ls-files -- '*.sh' .ci/run)
mapfile -t python_scripts < <(git ls-files -- '*.py')

check "swift format" swift format lint --strict --recursive --parallel Package.swift Sources Tests
check "sources" python3 scripts/dev/check_sources.py
check "shellcheck" shellcheck --external-sources --shell=bash "${shell_scripts[@]}"
check "python syntax" python3 - "${python_scripts[@]}" <<'EOF'
import ast, pathlib, sys
for path in sys.argv[1:]:
    ast.parse(pathlib.Path(path).read_text(), path)
EOF
check "data of the sweep" python3 scripts/data/make_sweep_data.py --check
exit $failed
