#!/usr/bin/env bash
# A PostgreSQL server of the tests' own, in a folder, on a loopback port: never one that is there
# already. Debian's server programs refuse to run as root, so root steps down to 'postgres'.
#
# usage: postgresql.sh start FOLDER PORT PID     the server stops when the process PID is gone
#        postgresql.sh restart|stop FOLDER       as a crash would: without saying good-bye
#        postgresql.sh createdb FOLDER PORT NAME
set -euo pipefail

# What the caller has open would stay open in the server, and who waits for its end would wait.
for descriptor in /proc/self/fd/*; do
    number=${descriptor##*/}
    if [ "$number" -gt 2 ] && [ "$number" -ne 255 ]; then eval "exec $number>&-"; fi
done

command=$1
folder=$2
programs=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
[ -x "$programs/initdb" ] || { echo "no PostgreSQL server: apt-get install postgresql" >&2; exit 3; }

as_server() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd "$folder" && exec setpriv --reuid=postgres --regid=postgres --clear-groups "$@")
    else
        "$@"
    fi
}
ctl() { as_server "$programs/pg_ctl" -D "$folder/data" -s -w -t 60 "$@"; }

case $command in
start)
    port=$3
    watched=$4
    mkdir -p "$folder"
    echo "secret/p@ss" >"$folder/password"
    [ "$(id -u)" -ne 0 ] || chown -R postgres "$folder"
    as_server "$programs/initdb" -D "$folder/data" -U st -A scram-sha-256 \
        --pwfile="$folder/password" --no-sync -E UTF8 --locale=C >/dev/null
    # A session time zone that is not UTC, as servers have it; an immediate stop stays safe
    # without fsync, as the kernel lives on.
    cat >>"$folder/data/postgresql.conf" <<EOF
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = '$folder'
fsync = off
timezone = 'Asia/Kolkata'
datestyle = 'sql, dmy'
max_connections = 60
shared_buffers = 16MB
EOF
    ctl -l "$folder/log" start >/dev/null 2>&1
    (
        # A process that ended but was not waited for counts as gone.
        while grep -qs '^State:.*[RSDT] ' "/proc/$watched/status"; do sleep 1; done
        ctl -m immediate stop || true # it may have been stopped by its test
        rm -rf "$folder"
    ) >/dev/null 2>&1 </dev/null &
    ;;
restart)
    ctl -m immediate -l "$folder/log" restart >/dev/null 2>&1
    ;;
stop) ctl -m immediate stop ;;
createdb)
    PGPASSWORD="secret/p@ss" "$programs/createdb" -h 127.0.0.1 -p "$3" -U st "$4"
    ;;
esac
