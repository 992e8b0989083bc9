#!/usr/bin/env bash
# Copies a program with its manual, completions, units and documents into a directory tree: packaging/lay-out.sh PROGRAM TREE PREFIX [SPEAKER]
#
# The files go below TREE/PREFIX; PREFIX is /usr or /usr/local. SPEAKER is the same program as PROGRAM in a form that runs on this machine.
# It prints the manual and the completions. By default it is PROGRAM.
set -euo pipefail
program=$1 root=$2$3 prefix=$3 speaker=${4:-$1}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

install -D -m 755 "$program" "$root/bin/imapsync"

"$speaker" man --directory "$root/share/man"
gzip -9n "$root"/share/man/man*/*
# Debian's zsh looks for the completions of packages in another directory than for those of an administrator.
functions=$([ "$prefix" = /usr ] && echo vendor-completions || echo site-functions)
mkdir -p "$root"/share/{bash-completion/completions,zsh/"$functions",fish/vendor_completions.d}
"$speaker" completion bash >"$root/share/bash-completion/completions/imapsync"
"$speaker" completion zsh >"$root/share/zsh/$functions/_imapsync"
"$speaker" completion fish >"$root/share/fish/vendor_completions.d/imapsync.fish"

mkdir -p "$root/lib/systemd/system"
for unit in packaging/systemd/imapsync@.*; do
    sed "s,/usr/bin/imapsync,$prefix/bin/imapsync," "$unit" >"$root/lib/systemd/system/${unit##*/}"
done
install -D -m 644 packaging/systemd/imapsync.sysusers "$root/lib/sysusers.d/imapsync.conf"
install -D -m 644 packaging/systemd/imapsync.tmpfiles "$root/lib/tmpfiles.d/imapsync.conf"

doc=$root/share/doc/imapsync-native
mkdir -p "$doc/docs" "$doc/examples"
cp README.md "$doc/"
cp -r docs/. "$doc/docs/"
cp examples/quickstart.yaml "$doc/examples/"
