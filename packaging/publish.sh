#!/usr/bin/env bash
# Compiles the native program: packaging/publish.sh ARCHITECTURE DIRECTORY
#
# ARCHITECTURE is Debian's word: amd64 or arm64. For another processor than this machine's it takes a C compiler and libraries for it
# (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross, or gcc-x86-64-linux-gnu libc6-dev-amd64-cross). Exit status 3: they are not there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case $1 in
    amd64) rid=linux-x64 tools=x86_64-linux-gnu ;;
    arm64) rid=linux-arm64 tools=aarch64-linux-gnu ;;
    *) echo "packaging/publish.sh: no native program for '$1'; amd64 and arm64 are known" >&2; exit 2 ;;
esac
cross=()
if [ "$1" != "$(dpkg --print-architecture)" ]; then
    command -v "$tools-gcc" >/dev/null || { echo "packaging/publish.sh: $tools-gcc is not installed" >&2; exit 3; }
    # The SDK tells the linker its target as clang wants to hear it; gcc is one for each target.
    bin=$(mktemp -d)
    trap 'rm -rf "$bin"' EXIT
    printf '#!/bin/bash\nfor word; do shift; [[ $word == --target=* ]] || set -- "$@" "$word"; done\nexec %s-gcc "$@"\n' "$tools" >"$bin/gcc"
    chmod +x "$bin/gcc"
    cross=(-p:CppCompilerAndLinker="$bin/gcc" -p:ObjCopyName="$tools-objcopy")
fi
dotnet publish src/imapsync -c Release -r "$rid" "${cross[@]}" -o "$2" -v quiet -clp:NoSummary >&2
