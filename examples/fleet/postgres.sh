#!/usr/bin/env bash
# Starts a PostgreSQL of its own, to try imapsync-fleet with: on 127.0.0.1 alone, with a password that is made anew.
#
#   examples/fleet/postgres.sh                    in a temporary directory that is removed at the end
#   examples/fleet/postgres.sh DIRECTORY [PORT]   in DIRECTORY, which stays and can be started again
#
# The first line of its output is what --postgres-file is to hold. Ctrl-C or SIGTERM ends it.
# PostgreSQL refuses to run as root: then it runs as RUN_AS (nobody). Needs PostgreSQL 13 or later; PGBIN says where its programs are.
set -euo pipefail

directory=${1:-} port=${2:-54329} run_as=${RUN_AS:-nobody} temporary=
if [ -z "$directory" ]; then
  directory=$(mktemp -d /tmp/imapsync-postgres.XXXXXX)
  temporary=$directory
fi

bin=${PGBIN:-}
for place in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin; do
  [ -n "$bin" ] || [ ! -x "$place/initdb" ] || bin=$place
done
[ -n "$bin" ] || { bin=$(command -v initdb) && bin=$(dirname "$bin"); } || { echo "PostgreSQL is not installed; on Debian: apt-get install postgresql" >&2; exit 1; }

as=(env)
if [ "$(id -u)" = 0 ]; then
  as=(setpriv "--reuid=$run_as" "--regid=$(id -gn "$run_as")" --clear-groups --)
fi

mkdir -p "$directory"
[ "$(id -u)" != 0 ] || chown "$run_as" "$directory"
if [ ! -e "$directory/data/PG_VERSION" ]; then
  password=$(od -An -N 18 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077; printf '%s\n' "$password" >"$directory/password")
  [ "$(id -u)" != 0 ] || chown "$run_as" "$directory/password"
  "${as[@]}" "$bin/initdb" -D "$directory/data" -U fleet -A scram-sha-256 --pwfile="$directory/password" -E UTF8 --locale=C.UTF-8 >"$directory/initdb.log" 2>&1 \
    || { cat "$directory/initdb.log" >&2; exit 1; }
fi

echo "Host=127.0.0.1;Port=$port;Username=fleet;Password=$(cat "$directory/password");Database=postgres"
child=
end() { [ -z "$child" ] || kill -INT "$child" 2>/dev/null || true; }
trap end INT TERM
"${as[@]}" "$bin/postgres" -D "$directory/data" -c listen_addresses=127.0.0.1 -c "port=$port" -c "unix_socket_directories=$directory" -c max_connections=200 >>"$directory/postgres.log" 2>&1 &
child=$!
wait "$child" || true
wait "$child" 2>/dev/null || true
[ -z "$temporary" ] || rm -rf "$temporary"
