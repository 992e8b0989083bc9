#!/usr/bin/env bash
# Makes all packages that this machine can make: packaging/all.sh [--here] [DIRECTORY [PROGRAM]]
#
# That is a Debian package and a tarball for this processor; the same for the other processor (amd64 or arm64), if a C compiler for it is
# installed and --here is not given; the dotnet tool; and SHA256SUMS of all these. DIRECTORY gets them; its default is artifacts/release.
# PROGRAM is the native program, if it is compiled already. docs/release.md says more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
others="amd64 arm64"
if [ "${1:-}" = --here ]; then
    others=
    shift
fi
out=${1:-artifacts/release}
here=$(dpkg --print-architecture)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
# The names of everything this script makes, on this machine or on another. DIRECTORY may hold other files; they stay.
version=$(packaging/version.sh)
made=(imapsync-native_"$version"_{amd64,arm64}.deb imapsync-"$version"-linux-{amd64,arm64}.tar.gz imapsync."$version".nupkg)
(cd "$out" && rm -f "${made[@]}" SHA256SUMS)

program=${2:-}
if [ -z "$program" ]; then
    packaging/publish.sh "$here" "$work/$here"
    program=$work/$here/imapsync
fi
pack() {
    packaging/deb.sh "$out" "$1" "$2" "$program"
    packaging/tarball.sh "$out" "$1" "$2" "$program"
}
pack "$program" "$here"

for other in $others; do
    [ "$other" != "$here" ] || continue
    status=0
    packaging/publish.sh "$other" "$work/$other" || status=$?
    case $status in
        0) pack "$work/$other/imapsync" "$other" ;;
        3) echo "Nothing is made for $other." >&2 ;;
        *) exit "$status" ;;
    esac
done

dotnet pack src/imapsync -c Release -o "$out" -v quiet -clp:NoSummary >&2
cd "$out"
for name in "${made[@]}"; do
    [ ! -e "$name" ] || sha256sum "$name"
done >SHA256SUMS
ls -l
