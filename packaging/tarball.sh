#!/usr/bin/env bash
# Makes a tarball of a native program, to be unpacked over /usr/local: packaging/tarball.sh DIRECTORY PROGRAM ARCHITECTURE [SPEAKER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=$1 name=imapsync-$(packaging/version.sh)-linux-$3
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

packaging/lay-out.sh "$2" "$tree" /usr/local "${4:-$2}"
cp LICENSE "$tree/usr/local/share/doc/imapsync-native/"
chmod -R u=rwX,go=rX "$tree"
mv "$tree/usr/local" "$tree/$name"
mkdir -p "$out"
# Names, owners and dates do not depend on who packs, or when.
tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}" -C "$tree" "$name" \
    | gzip -9n >"$out/$name.tar.gz"
