#!/usr/bin/env bash
# Makes a Debian package of the native program: packaging/deb.sh [DIRECTORY [PROGRAM ARCHITECTURE SPEAKER]]
#
# DIRECTORY gets the package; its default is artifacts. PROGRAM is a compiled native program; by default this script compiles one for this
# machine. ARCHITECTURE is Debian's name of PROGRAM's processor. SPEAKER is the same program in a form that runs on this machine
# (see lay-out.sh). Needs dpkg-deb; to compile, also the .NET 10 SDK and a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${1:-artifacts}
architecture=${3:-$(dpkg --print-architecture)}
version=$(packaging/version.sh)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

program=${2:-}
if [ -z "$program" ]; then
    program=$tree/published/imapsync
    packaging/publish.sh "$architecture" "$tree/published"
fi
root=$tree/root
packaging/lay-out.sh "$program" "$root" /usr "${4:-$program}"

doc=$root/usr/share/doc/imapsync-native
cp LICENSE "$doc/copyright"
# The date of the commit, so that the same commit always makes the same package.
made=$(date --rfc-email --utc --date="@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}")
printf 'imapsync-native (%s) unstable; urgency=medium\n\n  * See README.md and docs/.\n\n -- The imapsync authors <maintainers@imapsync.invalid>  %s\n' "$version" "$made" \
    | gzip -9n >"$doc/changelog.gz"
install -D -m 644 packaging/debian/README "$root/etc/imapsync/README"

install -D -m 644 packaging/debian/lintian-overrides "$root/usr/share/lintian/overrides/imapsync-native"

mkdir "$root/DEBIAN"
install -m 755 packaging/debian/{postinst,prerm,postrm} "$root/DEBIAN/"
echo /etc/imapsync/README >"$root/DEBIAN/conffiles"
# Some archives carry another program named imapsync (in Perl), which also owns /usr/bin/imapsync.
cat >"$root/DEBIAN/control" <<END
Package: imapsync-native
Version: $version
Architecture: $architecture
Maintainer: The imapsync authors <maintainers@imapsync.invalid>
Section: mail
Priority: optional
Installed-Size: $(du -sk --apparent-size "$root" | cut -f1)
Depends: libc6 (>= 2.34), libssl3 | libssl3t64, ca-certificates
Suggests: libgssapi-krb5-2
Conflicts: imapsync
Description: mailbox backup and migration
 Backs up and moves mailboxes between IMAP accounts, Maildir and mbox:
 every message once, octet for octet, with flags, keywords and dates.
 .
 The service imapsync@NAME runs the jobs of /etc/imapsync/NAME.yaml; its timer
 does so every night.
END
chmod -R u=rwX,go=rX "$root"
(cd "$root" && find etc usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/md5sums"
install -m 644 "$tree/md5sums" "$root/DEBIAN/"
mkdir -p "$out"
SOURCE_DATE_EPOCH=$(date --date="$made" +%s) dpkg-deb --root-owner-group --build "$root" "$out" >&2
