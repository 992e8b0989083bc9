#!/usr/bin/env bash
# Runs the crash tests only: every state of the disk that a power cut may leave of a recorded run, and whether the next run repairs it.
# docs/reliability.md says what a state is. Prints a table.
#
#   tests/crash.sh                  600 states of each recorded run
#   tests/crash.sh 100              100 states of each recorded run
#   IMAPSYNC_SEED=N tests/crash.sh  the states of seed N, which the message of a failed test names
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
