#!/usr/bin/env bash
# Searches for files that break a reader, with libFuzzer, coverage and limits on memory and
# time. Inputs that do are left in .build/fuzz/found/; make them small with -minimize_crash=1,
# put them into Tests/Fuzzing/Regressions/TARGET/ and mend the reader.
# usage: fuzz.sh [SECONDS [TARGET...]]    60 seconds for each of parquet csv json safetensors tokenizer
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-60}
shift || true
[ $# -gt 0 ] || set -- parquet csv json safetensors tokenizer

ST_HOST_FUZZ=1 swift build -c release --scratch-path .build/fuzz --product st-fuzz \
    -Xswiftc -sanitize=fuzzer
mkdir -p .build/fuzz/found
# Swift's own report of a crash would come before libFuzzer's, which keeps the input.
export SWIFT_BACKTRACE=enable=no
failed=0
for target in "$@"; do
    corpus=.build/fuzz/corpus/$target
    mkdir -p "$corpus"
    echo "fuzz: $target, $seconds s"
    ST_HOST_FUZZ_TARGET=$target .build/fuzz/release/st-fuzz \
        -max_total_time="$seconds" -rss_limit_mb=2048 -malloc_limit_mb=1024 -timeout=10 \
        -print_final_stats=1 -artifact_prefix=".build/fuzz/found/$target-" \
        "$corpus" "Tests/Fuzzing/Seeds/$target" 2>".build/fuzz/$target.log" || failed=1
    grep -E "^stat::|ERROR|Fatal error|SUMMARY|Test unit written" ".build/fuzz/$target.log" || true
done
rm -rf /dev/shm/st-host-fuzz-*
exit $failed
