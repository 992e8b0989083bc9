#!/usr/bin/env bash
# Unpacks the servers Cyrus and Courier, for the tests that migrate to them and from them by POP3: fetch-servers.sh [DIRECTORY]
#
# The servers are not installed, because their packages would start them, and Debian allows only one IMAP server at a time. The libraries
# that a server needs and the machine lacks are unpacked into the same directory. Needs root and an apt archive with the packages (Debian 12).
# A server that apt cannot download is left out; its tests say so and count as skipped.
set -uo pipefail
root=${1:-${IMAPSYNC_TEST_SERVERS:-/opt/imapsync-test-servers}}

# unpack NAME PACKAGE...
unpack() {
  local name=$1 work packages wanted
  shift
  wanted=$*
  # .complete names the packages that were unpacked. An earlier version of this script may have unpacked fewer.
  [ "$(cat "$root/$name/.complete" 2>/dev/null)" != "$wanted" ] || return 0
  echo "Unpacking $name"
  work=$(mktemp -d) || return 1
  # The packages that an installation would install: these packages, and those of their dependencies that the machine lacks.
  packages=$(apt-get -s --no-install-recommends install "$@" 2>/dev/null | sed -n 's/^Inst \([^ ]*\) .*/\1/p')
  # apt drops its privileges for downloads, so every user must be able to enter the directory.
  chmod 755 "$work"
  if [ -n "$packages" ] && (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download $packages >/dev/null 2>&1); then
    # A running server may use the files that are there already, so they are not deleted first.
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
