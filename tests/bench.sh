#!/usr/bin/env bash
# Measures imapsync beside mbsync, programs on MailKit and a raw client that does nothing else, in turns, on private servers in memory.
#
#   tests/bench.sh                             every case, three runs each; takes a while
#   tests/bench.sh maildir imap --runs 5       only these
#   tests/bench.sh noop-imap --messages 200000 another size; --help names all options, list all cases
#   tests/bench.sh imap --without mailkit-loop not beside that one (mbsync, mailkit, floor)
#   tests/bench.sh disk --disk /var/tmp        on a real disk, everything synced
#   tests/bench.sh micro                       the innermost parts by BenchmarkDotNet (--filter '*Journal*')
#
# Prints a table in Markdown; --json FILE writes every run. A copy that is not whole is no result. Quote ratios, not seconds.
# Needs the .NET 10 SDK, Dovecot, isync and GNU time: installed with apt-get when root. IMAPSYNC=PROGRAM measures that one
# in place of publishing this source.
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
  # A freshly installed server must not start by itself.
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  { apt-get -qq update && apt-get -qq install -y --no-install-recommends "${missing[@]}"; } >&2
fi

# Build servers that stay would be in the way of what is measured.
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
