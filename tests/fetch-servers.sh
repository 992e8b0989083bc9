#!/usr/bin/env bash
# Unpacks Cyrus and Courier for the tests that migrate to them, and from them by POP3: fetch-servers.sh [DIRECTORY]
#
# They are not installed: a package would start its server, and only one IMAP server can be installed at a time. What a
# server needs and the machine lacks is unpacked beside it. Needs root and an apt archive that has the packages (Debian 12).
# A server that cannot be had is left out; its tests say so and count as skipped.
set -uo pipefail
root=${1:-${IMAPSYNC_TEST_SERVERS:-/opt/imapsync-test-servers}}

# unpack NAME PACKAGE...
unpack() {
  local name=$1 work packages wanted
  shift
  wanted=$*
  # It names what was unpacked: an older one may lack some of it.
  [ "$(cat "$root/$name/.complete" 2>/dev/null)" != "$wanted" ] || return 0
  echo "Unpacking $name"
  work=$(mktemp -d) || return 1
  # What an installation would bring: those of the packages' dependencies that are not there yet, and themselves.
  packages=$(apt-get -s --no-install-recommends install "$@" 2>/dev/null | sed -n 's/^Inst \([^ ]*\) .*/\1/p')
  # apt drops its privileges for downloads, so the directory must be open to it.
  chmod 755 "$work"
  if [ -n "$packages" ] && (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download $packages >/dev/null 2>&1); then
    # What is there may be in use, so it is added to.
    mkdir -p "$root/$name"
    for package in "$work"/*.deb; do dpkg -x "$package" "$root/$name" || { rm -rf "$work"; return 1; }; done
    echo "$wanted" > "$root/$name/.complete"
  else
    echo "$name: its packages cannot be had here" >&2
  fi
  rm -rf "$work"
}

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
  echo "Cyrus and Courier are left out: unpacking and starting them takes root on Debian" >&2
  exit 0
fi
unpack cyrus cyrus-imapd cyrus-pop3d cyrus-common sasl2-bin
unpack courier courier-imap courier-pop courier-authlib-userdb
exit 0
