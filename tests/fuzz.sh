#!/usr/bin/env bash
# Fuzzes the readers of everything that others wrote, until stopped or for so many inputs
#
#   tests/fuzz.sh                          every target in turn, without an end
#   tests/fuzz.sh frames journal           only these; an unknown name shows them all
#   tests/fuzz.sh --inputs 10,000,000      so many inputs over all targets, then a table
#   tests/fuzz.sh --seed 7                 the same inputs again
#
# A find is shrunk, printed and saved below tests/Fuzz/Corpus; kept there, every normal test run reads it again.
# Exit status: 0 when nothing was found, else 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case "${1:-}" in -h|--help) sed -n '2,/^set/s/^# \{0,1\}//p' tests/fuzz.sh | sed '$d'; exit 0 ;; esac
dotnet build tests/Fuzz/Imapsync.Fuzz.Tests.csproj -c Release -v quiet -clp:NoSummary
exec dotnet tests/Fuzz/bin/Release/net10.0/Imapsync.Fuzz.Tests.dll fuzz --corpus tests/Fuzz/Corpus "$@"
