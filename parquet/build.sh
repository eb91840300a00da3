#!/bin/sh
# build.sh fetch|build CARGO SOURCE BUILD [OUTPUT]: gets the crates, or builds the library and puts it at OUTPUT. Works on a
# copy, so that the source tree stays as it is.
set -eu
mkdir -p "$4/crate/src"
cp -p "$3/Cargo.toml" "$4/crate/"
cp -p "$3/src/lib.rs" "$4/crate/src/"
if [ "$1" = fetch ]; then
  export CARGO_NET_RETRY=1 CARGO_HTTP_TIMEOUT=20 # who is offline need not wait for long
  "$2" fetch --quiet --manifest-path "$4/crate/Cargo.toml"
  exit
fi
CARGO_TARGET_DIR="$4/target" "$2" build --quiet --offline --release --jobs 2 --manifest-path "$4/crate/Cargo.toml"
cp "$4/target/release/libhubbub_parquet.a" "$5"
