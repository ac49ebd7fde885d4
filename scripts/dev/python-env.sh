#!/usr/bin/env bash
# Makes the Python environment that tests compare with and golden files come from, once, outside
# the repository. Sourced, it exports ST_HOST_PYTHON when there is such an environment.
#
#   ST_HOST_PYTHON           an interpreter that has the libraries: used as it is
#   ST_HOST_PYTHON_ENV       where to make the environment (default: ~/.cache/st-host/python)
#   ST_HOST_PYTHON_REQUIRED  1: fail when it can't be made; else the tests that need it are skipped
set -euo pipefail

python_env=${ST_HOST_PYTHON_ENV:-${XDG_CACHE_HOME:-$HOME/.cache}/st-host/python}
python_requirements=$(dirname "${BASH_SOURCE[0]}")/python-requirements.txt
torch_version=2.13.0

make_python_env() {
    echo "python-env: making '$python_env' (torch, sentence-transformers: some minutes, once)"
    rm -rf "$python_env" &&
        python3 -m venv "$python_env" &&
        pip_install_torch &&
        pip_install --requirement "$python_requirements" &&
        cp "$python_requirements" "$python_env/complete"
}

pip_install() {
    "$python_env/bin/pip" install --quiet --disable-pip-version-check "$@"
}

# The build for processors alone is a tenth of the size, where pip's configuration leads to one.
pip_install_torch() {
    pip_install "torch==$torch_version+cpu" 2>/dev/null || pip_install "torch==$torch_version"
}

if [ -z "${ST_HOST_PYTHON:-}" ]; then
    if cmp -s "$python_requirements" "$python_env/complete" || make_python_env; then
        export ST_HOST_PYTHON=$python_env/bin/python
    elif [ "${ST_HOST_PYTHON_REQUIRED:-0}" = 1 ]; then
        echo "python-env: no Python environment, and ST_HOST_PYTHON_REQUIRED=1" >&2
        exit 1
    else
        echo "python-env: no Python environment: the tests that compare with it will be skipped" >&2
    fi
fi
