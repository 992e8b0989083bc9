#!/usr/bin/env bash
# Compares imapsync with mbsync, programs that use MailKit and a raw client that only transfers, in turns, on private servers in memory.
#
#   tests/bench.sh                             every case, three runs each; takes a while
#   tests/bench.sh maildir imap --runs 5       only these two cases
#   tests/bench.sh noop-imap --messages 200000 another number of messages; --help names all options, list all cases
#   tests/bench.sh imap --without mailkit-loop without that program (mbsync, mailkit, mailkit-loop, floor)
#   tests/bench.sh disk --disk /var/tmp        on a real disk, every file flushed to it
#   tests/bench.sh micro                       the innermost parts by BenchmarkDotNet (--filter '*Journal*')
#
# Prints a table in Markdown; --json FILE writes the figures of every run. An incomplete copy counts as no result. Quote ratios, not seconds.
# Needs the .NET 10 SDK, Dovecot, isync and GNU time, and installs the missing ones with apt-get if root. With IMAPSYNC=PROGRAM it measures
# that program instead of compiling this source.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PATH:/usr/sbin:/sbin" DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

missing=()
[ -x /usr/lib/dovecot/imap ] || [ -x /usr/libexec/dovecot/imap ] || missing+=(dovecot-imapd)
command -v mbsync >/dev/null || missing+=(isync)
[ -x /usr/bin/time ] || missing+=(time)
command -v useradd >/dev/null || missing+=(passwd)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "The benchmark needs: ${missing[*]}" >&2
    exit 1
  fi
  # Installing a server package must not start the server.
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  { apt-get -qq update && apt-get -qq install -y --no-install-recommends "${missing[@]}"; } >&2
fi

# Build servers that keep running would disturb the measurement.
build=(-c Release -v quiet -clp:NoSummary -nodeReuse:false -p:UseSharedCompilation=false)
dotnet build tests/Bench "${build[@]}" >&2
bench=(dotnet tests/Bench/bin/Release/net10.0/Imapsync.Bench.dll)
case ${1:-} in micro | list | -h | --help) exec "${bench[@]}" "$@" ;; esac

program=${IMAPSYNC:-}
if [ -z "$program" ]; then
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
  dotnet publish src/imapsync --os linux -o "$out" "${build[@]}" >&2
  program=$out/imapsync
fi
"${bench[@]}" --program "$program" "$@"
