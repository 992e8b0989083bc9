#!/usr/bin/env bash
# The model test by itself: random mailboxes, random changes between runs, random faults in them; prints what was done and
# found as a table. docs/reliability.md says what a round is.
#
#   tests/model.sh                  2,000 rounds, from a seed drawn for it
#   tests/model.sh 300              so many
#   tests/model.sh 2000 --write     puts the table into docs/reliability.md as well, if all is well
#   tests/model.sh world 300        the other model: disks put back, numbers left out, people at both ends, rules that change, restores
#   IMAPSYNC_SEED=N tests/model.sh 1    the one round with that seed, as a failure names it; likewise with world
#
# Needs what tests/run.sh needs. Exit status: 0 when nothing was lost, doubled, changed or hung, else 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PATH:/usr/sbin:/sbin" DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 NO_COLOR=1
class=ModelTests place=model
if [ "${1:-}" = world ]; then
  class=WorldTests place=world
  shift
fi
export IMAPSYNC_TESTS_LONG=1 IMAPSYNC_ROUNDS=${1:-2000}

table=$(mktemp)
trap 'rm -f "$table" "$table.new"' EXIT
export IMAPSYNC_MODEL_TABLE=$table

dotnet build tests/Servers -c Release -v quiet -clp:NoSummary
status=0
dotnet tests/Servers/bin/Release/net10.0/Imapsync.Servers.Tests.dll -noLogo -noColor -showLiveOutput -class "*.$class" || status=1
cat "$table"

if [ "${2:-}" = --write ] && [ $status = 0 ]; then
  awk -v table="$table" -v place="$place" '
    $0 == "<!-- " place ": end -->" { inside = 0 }
    !inside
    $0 == "<!-- " place ": begin -->" { inside = 1; while ((getline line < table) > 0) print line }
  ' docs/reliability.md >"$table.new"
  cat "$table.new" >docs/reliability.md
fi
exit $status
