#!/usr/bin/env bash
# Makes a Debian package of the native program for this machine's processor: packaging/deb.sh [DIRECTORY]
#
# Needs the .NET 10 SDK, a C compiler and dpkg-deb. The package lands in DIRECTORY, by default artifacts/.
# A native program is compiled on the kind of machine it is for: run this on arm64 for arm64.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${1:-artifacts}

version=$(sed -n 's/.*<VersionPrefix>\(.*\)<.*/\1/p' Directory.Build.props)
architecture=$(dpkg --print-architecture)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

dotnet publish src/imapsync -c Release --os linux -o "$tree/usr/bin" -v quiet -clp:NoSummary >&2
mkdir -p "$tree/DEBIAN" "$tree/usr/share/doc/imapsync" "$tree/usr/share/bash-completion/completions"
cp LICENSE "$tree/usr/share/doc/imapsync/copyright"
cp README.md docs/*.md "$tree/usr/share/doc/imapsync/"
"$tree/usr/bin/imapsync" completion bash >"$tree/usr/share/bash-completion/completions/imapsync"
# Some archives carry another program of this name (imapsync in Perl), which also owns /usr/bin/imapsync.
cat >"$tree/DEBIAN/control" <<END
Package: imapsync-native
Version: $version
Architecture: $architecture
Maintainer: The imapsync authors <maintainers@imapsync.invalid>
Section: mail
Priority: optional
Installed-Size: $(du -sk "$tree/usr" | cut -f1)
Depends: libc6 (>= 2.34), libssl3 | libssl3t64, ca-certificates
Suggests: libgssapi-krb5-2
Conflicts: imapsync
Description: mailbox backup and migration
 Backs up and moves mailboxes between IMAP accounts, Maildir and mbox:
 every message once, octet for octet, with flags, keywords and dates.
END
chmod -R u=rwX,go=rX "$tree"
mkdir -p "$out"
dpkg-deb --root-owner-group --build "$tree" "$out" >&2
