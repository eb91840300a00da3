#!/bin/sh
# build.sh fetch|build CARGO SOURCE BUILD [FEATURES PROFILE OUTPUT]: gets the crates, or builds the library with these
# features and cargo's profile (release or dev), and puts it at OUTPUT. SOURCE is the root of the source tree. Works on a copy, so that the tree stays as it is.
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
CARGO_TARGET_DIR=$target "$2" build --quiet --offline --profile "$6" --jobs 2 --features "$5" \
  --manifest-path "$4/rust/crates/Cargo.toml"
folder=$6
[ "$folder" = release ] || folder=debug # what cargo calls the folder of the profile dev
cp "$target/$folder/libhubbub_crates.a" "$7"
