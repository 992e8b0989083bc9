#!/usr/bin/env bash
# Runs the model test only: random mailboxes, random changes between runs, random faults during runs. Prints a table of what was done and
# found. docs/reliability.md says what a round is.
#
#   tests/model.sh                  2,000 rounds, with a random seed
#   tests/model.sh 300              300 rounds
#   tests/model.sh 2000 --write     also puts the table into docs/reliability.md, if no round failed
#   tests/model.sh world 300        the second model: disks restored from older copies, servers that omit numbers, users at both sides,
#                                   changing rules, restores
#   IMAPSYNC_SEED=N tests/model.sh 1    only the round with seed N, which the message of a failed round names; likewise with world
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
