#!/bin/sh
# build.sh fetch|build CARGO SOURCE BUILD FEATURES [OUTPUT]: gets the crates, or builds the library with these features and
# puts it at OUTPUT. SOURCE is the root of the source tree. Works on a copy, so that the tree stays as it is.
set -eu
for crate in crates parquet cql; do
  mkdir -p "$4/rust/$crate/src"
  cp -p "$3/$crate/Cargo.toml" "$4/rust/$crate/"
  cp -p "$3/$crate/src/"*.rs "$4/rust/$crate/src/"
done
if [ "$1" = fetch ]; then
  export CARGO_NET_RETRY=1 CARGO_HTTP_TIMEOUT=20 # who is offline need not wait for long
  "$2" fetch --quiet --manifest-path "$4/rust/crates/Cargo.toml"
  exit
fi
target=${CARGO_TARGET_DIR:-$4/target}
CARGO_TARGET_DIR=$target "$2" build --quiet --offline --release --jobs 2 --features "$5" \
  --manifest-path "$4/rust/crates/Cargo.toml"
cp "$target/release/libhubbub_crates.a" "$6"
