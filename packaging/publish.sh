#!/usr/bin/env bash
# Compiles the native program: packaging/publish.sh ARCHITECTURE DIRECTORY
#
# ARCHITECTURE is Debian's name: amd64 or arm64. To compile for another processor than this machine's, a C compiler and libraries for it must
# be installed (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross, or gcc-x86-64-linux-gnu libc6-dev-amd64-cross); else exit status 3.
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
    # The SDK passes clang's option --target to the linker. gcc does not know it (each gcc has one target), so this wrapper drops it.
    bin=$(mktemp -d)
    trap 'rm -rf "$bin"' EXIT
    printf '#!/bin/bash\nfor word; do shift; [[ $word == --target=* ]] || set -- "$@" "$word"; done\nexec %s-gcc "$@"\n' "$tools" >"$bin/gcc"
    chmod +x "$bin/gcc"
    cross=(-p:CppCompilerAndLinker="$bin/gcc" -p:ObjCopyName="$tools-objcopy")
fi
dotnet publish src/imapsync -c Release -r "$rid" "${cross[@]}" -o "$2" -v quiet -clp:NoSummary >&2
