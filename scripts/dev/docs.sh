#!/usr/bin/env bash
# The DocC documentation of the library products, made of a build that is there: `make docs`. Fails
# on a link that leads nowhere. Archives go to .build/documentation, or to the folder that is named.
set -euo pipefail
cd "$(dirname "$0")/../.."

build=.build/release
output=${1:-.build/documentation}
docc=$(command -v docc || echo "$(dirname "$(readlink -f "$(command -v swift)")")/docc")

# What the modules were built against: the C targets, and where their headers are.
flags=(-I "$build/Modules")
for map in Sources/C*/module.modulemap "$build"/C*.build/module.modulemap; do
    if [ -e "$map" ]; then flags+=(-Xcc "-fmodule-map-file=$map"); fi
done
for library in lua5.4 openblas sqlite3 libedit; do
    for flag in $(pkg-config --cflags "$library" 2>/dev/null || true); do
        flags+=(-Xcc "$flag")
    done
done

rm -rf "$output"
for catalog in Sources/*/*.docc; do
    module=$(basename "$catalog" .docc)
    graphs=$output/$module.symbols
    mkdir -p "$graphs"
    swift symbolgraph-extract -module-name "$module" "${flags[@]}" -output-dir "$graphs" \
        -target "$(swift -print-target-info | sed -n 's/.*"unversionedTriple": "\(.*\)".*/\1/p' | head -1)" \
        -minimum-access-level public -skip-inherited-docs
    # Symbols of other modules that this one extends have a graph each.
    "$docc" convert "$catalog" --additional-symbol-graph-dir "$graphs" --warnings-as-errors \
        --fallback-display-name "$module" --fallback-bundle-identifier "st-host.$module" \
        --output-dir "$output/$module.doccarchive"
    rm -rf "$graphs"
done
