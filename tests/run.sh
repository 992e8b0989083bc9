#!/usr/bin/env bash
# Builds everything, runs every test, and says on its last line: N passed, N failed, N skipped
#
#   tests/run.sh              every test project, one after the other
#   tests/run.sh Engine       only the projects whose path contains the word, in upper or lower case
#   tests/run.sh --managed    tests the managed program in place of the native one, which takes longer to build
#   tests/run.sh --long       long modes too: more iterations, bigger mailboxes (IMAPSYNC_TESTS_LONG=1)
#
# Needs the .NET 10 SDK and a C compiler for the native program; for the tests with real servers and programs Dovecot, a Kerberos KDC, isync,
# OfflineIMAP, getmail, mutt, PostgreSQL and Chromium; for those of the packages lintian, systemd and man. Root gets them installed by apt-get.
# If root, it also unpacks Cyrus and Courier (tests/fetch-servers.sh). Without these two servers their tests are skipped,
# each with the reason. With CI=true a skipped test fails the run.
# Works from any directory, without a terminal and with stdin closed. Exit status: 0 when all passed, else 1.
set -uo pipefail
exec </dev/null
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# Debian keeps dovecot and useradd in directories that are not in a user's PATH.
export PATH="$PATH:/usr/sbin:/sbin"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 NO_COLOR=1
limit_seconds=1500
only=
managed=

usage() { sed -n '2,/^set/s/^# \{0,1\}//p' tests/run.sh; }
give_up() { printf '%s\n' "$*" >&2; echo "0 passed, 0 failed, 0 skipped"; exit 1; }

for argument in "$@"; do
  case $argument in
    --long) export IMAPSYNC_TESTS_LONG=1; limit_seconds=14400 ;;
    --managed) managed=yes ;;
    -h|--help) usage; exit 0 ;;
    -*) usage >&2; give_up "unknown option $argument" ;;
    *) only=$argument ;;
  esac
done

command -v dotnet >/dev/null || give_up "The .NET 10 SDK is missing: https://dotnet.microsoft.com/download"

# --- What the tests need besides the SDK ------------------------------------------------------------------
missing=()
[ -x /usr/lib/dovecot/imap ] || [ -x /usr/libexec/dovecot/imap ] || missing+=(dovecot-imapd)
[ -x /usr/lib/dovecot/pop3 ] || [ -x /usr/libexec/dovecot/pop3 ] || missing+=(dovecot-pop3d)
command -v dovecot >/dev/null || missing+=(dovecot-core)
command -v useradd >/dev/null || missing+=(passwd)
command -v strace >/dev/null || missing+=(strace)
# For the tests of Kerberos: a KDC, its administration program, kinit and klist, and Dovecot's plugin.
command -v krb5kdc >/dev/null || missing+=(krb5-kdc)
command -v kadmin.local >/dev/null || missing+=(krb5-admin-server)
command -v kinit >/dev/null || missing+=(krb5-user)
[ -e /usr/lib/dovecot/modules/auth/libmech_gssapi.so ] || [ -e /usr/lib/dovecot/auth/libmech_gssapi.so ] || missing+=(dovecot-gssapi)
# Other programs that keep mail. The tests back up from their directories, into them, and beside them.
command -v mbsync >/dev/null || missing+=(isync)
command -v offlineimap >/dev/null || missing+=(offlineimap3)
command -v getmail >/dev/null || missing+=(getmail6)
command -v mutt >/dev/null || missing+=(mutt)
# The database of a fleet that runs on several machines.
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || missing+=(postgresql)
# A browser, for the tests of the report page and of the fleet's pages.
command -v chromium >/dev/null || missing+=(chromium)
# Programs that check Debian's packages and the manual.
command -v lintian >/dev/null || missing+=(lintian)
command -v systemd-analyze >/dev/null || missing+=(systemd)
command -v man >/dev/null || missing+=(man-db)
command -v objdump >/dev/null || missing+=(binutils)
# A C compiler links the native program.
[ -n "$managed" ] || command -v clang >/dev/null || command -v gcc >/dev/null || missing+=(gcc libc6-dev)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    give_up "The tests need: ${missing[*]}. Install them, on Debian or Ubuntu with
  sudo apt-get install --no-install-recommends ${missing[*]}"
  fi
  echo "Installing ${missing[*]}"
  # Installing a server package must not start the server: the tests start their own servers, on other ports.
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  { apt-get -qq update && apt-get -qq install -y --no-install-recommends "${missing[@]}"; } >/tmp/imapsync-apt.$$ 2>&1 \
    || { cat /tmp/imapsync-apt.$$ >&2; rm -f /tmp/imapsync-apt.$$; give_up "apt-get could not install ${missing[*]}"; }
  rm -f /tmp/imapsync-apt.$$
fi

# Cyrus and Courier, for the tests that migrate to them. Where they cannot be downloaded, these tests count as skipped.
# (The test for an empty $only is needed: bash 5.2 takes a pattern made of an empty $only for one that matches nothing.)
if [ -z "$only" ] || [[ servers == *"${only,,}"* ]]; then bash tests/fetch-servers.sh; fi

# --- Build, once ------------------------------------------------------------------------------------------
echo "Building"
build_log=$(mktemp)
if ! dotnet build imapsync.sln -c Release -v quiet -clp:NoSummary -nodeReuse:false >"$build_log" 2>&1; then
  sort -u "$build_log" >&2
  rm -f "$build_log"
  give_up "The build failed."
fi
rm -f "$build_log"

# The tests start the native program, because that is the one that is shipped.
if [ -z "$managed" ]; then
  echo "Compiling the native program"
  dotnet publish src/imapsync -c Release --os linux -o artifacts/published -v quiet -clp:NoSummary -nodeReuse:false >&2 \
    || give_up "The native build failed. It needs a C compiler (on Debian: gcc libc6-dev); --managed does without."
  export IMAPSYNC_TESTS_PROGRAM=$PWD/artifacts/published/imapsync
fi

# Restoring the packages has audited them, if the registry serves advisories. The script prints whether it does.
[ -n "$only" ] || bash tests/audit.sh

# --- Run --------------------------------------------------------------------------------------------------
projects=()
servers=()
for project in tests/*/*.Tests.csproj; do
  shopt -s nocasematch
  [[ -z $only || $project == *"$only"* ]] || continue
  shopt -u nocasematch
  # The tests with real servers run last: a failure in a quick project often explains failures in theirs.
  case $project in tests/Servers/*) servers+=("$project") ;; *) projects+=("$project") ;; esac
done
projects+=("${servers[@]}")
[ ${#projects[@]} -gt 0 ] || give_up "No test project matches '$only'."

results=$PWD/artifacts/test-results
mkdir -p "$results"
rm -f "$results"/*.trx "$results"/*.log

passed=0 failed=0 skipped=0 bad=0 child=
trap '[ -z "$child" ] || kill "$child"; exit 130' INT TERM
count() { sed -n "s/.*<Counters [^>]*[ ]$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1; }

for project in "${projects[@]}"; do
  name=$(basename "$project" .csproj)
  trx=$results/$name.trx log=$results/$name.log
  started=$SECONDS
  timeout --kill-after=20 "$limit_seconds" \
    dotnet "$(dirname "$project")/bin/Release/net10.0/$name.dll" -noLogo -noColor -longRunning 120 -trx "$trx" >"$log" 2>&1 &
  child=$!
  wait "$child"
  status=$? child=
  took=$((SECONDS - started))

  ran=0
  if [ -s "$trx" ]; then
    p=$(count "$trx" passed) f=$(count "$trx" failed) e=$(count "$trx" error) s=$(count "$trx" notExecuted)
    f=$((${f:-0} + ${e:-0}))
    passed=$((passed + ${p:-0})) failed=$((failed + f)) skipped=$((skipped + ${s:-0}))
    ran=$((${p:-0} + f))
    echo "$name: ${p:-0} passed, $f failed, ${s:-0} skipped (${took} s)"
    # Print which tests were skipped, and why.
    [ "${s:-0}" = 0 ] || grep -A 1 -h '\[SKIP\]' "$log"
  fi

  if [ "$ran" = 0 ]; then
    bad=1
    echo "$name: no test ran" >&2
  fi
  if [ "$status" != 0 ]; then
    bad=1
    [ "$status" != 124 ] && [ "$status" != 137 ] || echo "$name: stopped after $limit_seconds s" >&2
    # The runner prints each failure with its message and stack; the lines of passed tests are not in the log.
    sed -n '/\[FAIL\]/,$p' "$log" | grep -q . && sed -n '/\[FAIL\]/,$p' "$log" || tail -n 60 "$log"
  fi
done

[ "$failed" = 0 ] || bad=1
if [ "${CI:-}" = true ] && [ "$skipped" != 0 ]; then
  bad=1
  echo "Skipped tests fail a run in CI: a real server or a file system that should be there is not." >&2
fi
echo "$passed passed, $failed failed, $skipped skipped"
exit "$bad"
