#!/bin/sh
# Builds imapsync, backs up the sample mail twice and shows what arrived. Needs the .NET SDK and nothing else.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(dirname -- "$here")
output=$here/output

step() { printf '\n== %s\n' "$*"; }

command -v dotnet >/dev/null || { echo "quickstart: the .NET 10 SDK is needed: https://dot.net" >&2; exit 1; }

step "Building"
dotnet build "$root/src/imapsync" --configuration Release --nologo --verbosity quiet --output "$output/bin"
imapsync() { dotnet "$output/bin/imapsync.dll" "$@"; }

# Start over, so that the first run always has everything to do.
rm -rf "$output/maildir" "$output/state"

step "First run: from the mbox files in examples/mail to a Maildir in examples/output/maildir"
imapsync run "$here/quickstart.yaml" --report "$output/first.json"

step "What arrived"
expected=$(find "$here/mail" -type f ! -name '.*' -exec grep -a -c '^From ' {} + | awk -F: '{ sum += $NF } END { print sum + 0 }')
arrived=0
for cur in "$output/maildir/cur" "$output/maildir"/.[!.]*/cur; do
  [ -d "$cur" ] || continue
  folder=$(dirname -- "$cur")
  count=$(find "$folder/cur" "$folder/new" -type f | wc -l)
  arrived=$((arrived + count))
  name=${folder#"$output/maildir"}
  printf '%6d  %s\n' "$count" "${name:-INBOX}"
done
printf '%6d  messages in all, %d in the source\n' "$arrived" "$expected"
[ "$arrived" -eq "$expected" ] || { echo "quickstart: not everything arrived" >&2; exit 1; }

step "Second run: nothing to do"
imapsync run "$here/quickstart.yaml" --report "$output/second.json"
tr -d ' \n' <"$output/second.json" | grep -q '"totals":{[^}]*"copied":0,' || { echo "quickstart: the second run copied something" >&2; exit 1; }
echo "Nothing was copied: every message was already in place."
