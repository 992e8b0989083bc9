#!/usr/bin/env bash
# Fuzzes the readers of everything that others wrote, until stopped or for a number of inputs
#
#   tests/fuzz.sh                          every target in turn, without an end
#   tests/fuzz.sh frames journal           only these targets; an unknown name prints the names of all
#   tests/fuzz.sh --inputs 10,000,000      this many inputs over all targets, then a table
#   tests/fuzz.sh --seed 7                 the same inputs as the last run with seed 7
#
# An input that breaks a reader is shrunk, printed and saved below tests/Fuzz/Corpus. If it stays there, every normal test run reads it again.
# Exit status: 0 when nothing was found, else 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case "${1:-}" in -h|--help) sed -n '2,/^set/s/^# \{0,1\}//p' tests/fuzz.sh; exit 0 ;; esac
dotnet build tests/Fuzz/Imapsync.Fuzz.Tests.csproj -c Release -v quiet -clp:NoSummary
exec dotnet tests/Fuzz/bin/Release/net10.0/Imapsync.Fuzz.Tests.dll fuzz --corpus tests/Fuzz/Corpus "$@"
