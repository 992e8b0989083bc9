#!/usr/bin/env bash
# The crash states by themselves: what a power cut may leave of recorded runs, and whether the next run brings all in place.
# docs/reliability.md says what a state is. Prints a table.
#
#   tests/crash.sh                  600 states of each run
#   tests/crash.sh 100              so many
#   IMAPSYNC_SEED=N tests/crash.sh  from that seed, as a failure names it
#
# Needs what tests/run.sh needs. Exit status: 0 when nothing was lost, doubled or otherwise wrong, else 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 NO_COLOR=1 IMAPSYNC_TESTS_LONG=1 IMAPSYNC_STATES=${1:-600}
IMAPSYNC_CRASH_TABLE=$(mktemp)
export IMAPSYNC_CRASH_TABLE
trap 'rm -f "$IMAPSYNC_CRASH_TABLE"' EXIT

dotnet build tests/Servers -c Release -v quiet -clp:NoSummary
status=0
dotnet tests/Servers/bin/Release/net10.0/Imapsync.Servers.Tests.dll -noLogo -noColor -showLiveOutput -class '*.CrashStateTests' || status=1
cat "$IMAPSYNC_CRASH_TABLE"
exit $status
