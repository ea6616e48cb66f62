#!/usr/bin/env bash
# Installs the peers that bench/peers measures: install.sh DIR. One whose tools are
# missing is left out with a word.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)

has() {
  for tool in "$@"; do
    command -v "$tool" >/dev/null || { echo "peers: $tool is missing, so $name is left out" >&2; return 1; }
  done
}

# fresh says whether a peer is installed as its files here ask for.
fresh() { [ -e "$dir/$name/.done" ] && [ -z "$(find "$here/$name" -newer "$dir/$name/.done" -type f -not -path '*/node_modules/*')" ]; }
done_with() { touch "$dir/$name/.done"; }

cp "$here/app.mjs" "$dir/"
for name in node bun; do
  if fresh || ! has npm; then continue; fi
  echo "peers: installing $name"
  mkdir -p "$dir/$name"
  cp "$here/$name"/*.mjs "$here/$name"/package*.json "$here/$name/.npmrc" "$dir/$name/"
  (cd "$dir/$name" && npm ci --loglevel=error)
  done_with
done

name=rust
if ! fresh && has cargo; then
  echo "peers: building $name (a few minutes, once)"
  mkdir -p "$dir/$name"
  cargo build --quiet --release --manifest-path "$here/rust/Cargo.toml" --target-dir "$dir/$name/target"
  cp "$dir/$name/target/release/bench" "$dir/$name/bench"
  done_with
fi

name=zishang520
if ! fresh && has go; then
  echo "peers: building $name"
  mkdir -p "$dir/$name"
  (cd "$here/zishang520" && go build -o "$dir/$name/bench" .)
  done_with
fi

name=python
if ! fresh && has python3; then
  echo "peers: installing $name"
  mkdir -p "$dir/$name"
  cp "$here/python/server.py" "$dir/$name/"
  python3 -m venv --clear "$dir/$name/venv"
  "$dir/$name/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$here/python/requirements.txt"
  done_with
fi

name=netty
if ! fresh && has java javac mvn; then
  echo "peers: installing $name"
  mkdir -p "$dir/$name/classes"
  mvn -q -B -f "$here/netty/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$dir/$name/jars"
  javac --release 17 -cp "$dir/$name/jars/*" -d "$dir/$name/classes" "$here"/netty/src/main/java/bench/*.java
  done_with
fi

for limit in gnet epoll; do
  (cd "$root" && go build -o "$dir/limit/$limit" "./bench/limit/$limit")
done
