#!/bin/sh
# Builds imapsync, serves the sample mail as an IMAP account, backs that up twice, and proves it octet by octet.
# Needs the .NET SDK and nothing else.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(dirname -- "$here")
output=$here/output

step() { printf '\n== %s\n' "$*"; }
fail() { echo "quickstart: $*" >&2; exit 1; }

command -v dotnet >/dev/null || fail "the .NET 10 SDK is needed: https://dot.net"

step "Building (the first time takes a minute or two)"
dotnet build "$root/src/imapsync" --configuration Release --nologo --verbosity quiet -consoleLoggerParameters:NoSummary --output "$output/bin"
imapsync() { dotnet "$output/bin/imapsync.dll" "$@"; }

# Start over, so that the first run always has everything to do.
rm -rf "$output/maildir" "$output/state" "$output/served" "$output/port"

step "An IMAP account: the mbox files in examples/mail, served on 127.0.0.1"
QUICKSTART_PASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export QUICKSTART_PASSWORD
dotnet "$output/bin/imapsync.dll" serve "mbox:$here/mail" --state "$output/served" \
  --port 0 --port-file "$output/port" --password-env QUICKSTART_PASSWORD &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT INT TERM
tries=0
while [ ! -s "$output/port" ]; do
  kill -0 "$server" 2>/dev/null || fail "the sample account could not be served"
  tries=$((tries + 1))
  [ "$tries" -le 300 ] || fail "the sample account is not served after half a minute"
  sleep 0.1
done
job() { command=$1; shift; imapsync "$command" "$here/quickstart.yaml" --set "quickstart.source.url=imap://backup@127.0.0.1:$(cat "$output/port")" "$@"; }

step "First run: over IMAP to a Maildir in examples/output/maildir"
job run --report "$output/first.json"

step "What arrived"
job folders
expected=$(find "$here/mail" -type f ! -name '.*' -exec grep -a -c '^From ' {} + | awk -F: '{ sum += $NF } END { print sum + 0 }')
arrived=$(find "$output/maildir" -type f \( -path '*/cur/*' -o -path '*/new/*' \) | wc -l)
echo "$arrived message files in examples/output/maildir, $expected messages in the source"
[ "$arrived" -eq "$expected" ] || fail "not everything arrived"

step "Second run: nothing to do"
job run --report "$output/second.json"
tr -d ' \n' <"$output/second.json" | grep -q '"totals":{[^}]*"copied":0,' || fail "the second run copied something"
echo "Nothing was copied: every message was already in place."

step "Every octet of the backup beside the account"
job verify --full

echo
echo "Now your own account: dotnet $output/bin/imapsync.dll init you@example.com"
