#!/usr/bin/env bash
# Fetches the browser client from npm into files/, from where it is embedded.
set -euo pipefail

version=4.8.4 # of npm's socket.io-client; the only place that names it

dest="$(cd "$(dirname "$0")" && pwd)/files"
files=(socket.io.js socket.io.min.js socket.io.esm.min.js socket.io.msgpack.min.js)

if [ "$(cat "$dest/VERSION" 2>/dev/null || true)" = "$version" ]; then
  exit 0
fi
if ! command -v npm >/dev/null; then
  echo "npm is missing: install Node.js (Debian: apt-get install npm), or build without the browser client" >&2
  exit 1
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
echo "fetching socket.io-client $version"
(cd "$work" && npm pack --silent "socket.io-client@$version" >/dev/null && tar xzf ./*.tgz)
mkdir -p "$dest"
for f in "${files[@]}"; do
  cp "$work/package/dist/$f" "$work/package/dist/$f.map" "$dest/"
done
echo "$version" >"$dest/VERSION"
