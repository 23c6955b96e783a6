#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# postgresql.sh: two clusters, one that lies in the lower layer with all its tables, and one that initdb makes. pgbench works on
# each, all of it is killed in the middle, it recovers, and nothing that a client was told is lost.
#
#   SHALE_PROGRAMS_PG_SECONDS   how long pgbench runs before the kill (default 6)

set -u
export LC_ALL=C
# shellcheck source=tests/programs/lib/tree.sh
source "$(dirname "$0")/lib/tree.sh"

seconds=${SHALE_PROGRAMS_PG_SECONDS:-6}
open_tree postgresql
user=$(inside id -u postgres)
[[ -n $user ]] || give_up

# pg COMMAND...: as its own user, who finds the server's socket where the clusters lie.
pg() {
    inside setpriv --reuid postgres --regid postgres --clear-groups env HOME=/srv/postgresql PGHOST=/srv/postgresql \
        PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin "$@"
}

server() {
    pg pg_ctl --wait --timeout 120 -D "/srv/postgresql/$cluster" -l "/srv/postgresql/$cluster.log" \
        -o "-c listen_addresses= -k /srv/postgresql" "$@"
}

query() {
    pg psql --no-psqlrc --tuples-only --no-align --dbname bench --command "$1"
}

bench() {
    pg pgbench --no-vacuum --client 4 --jobs 2 "$@" bench
}

start_anew() {
    pg initdb --data-checksums --no-locale --wal-segsize=1 --auth=trust --no-instructions "/srv/postgresql/$cluster" &&
        server start
}

make_tables() {
    pg createdb bench && query 'CREATE EXTENSION amcheck' && pg pgbench --initialize --quiet --scale 1 bench
}

# Postmaster, backends and all, while clients wait for answers.
kill_in_the_middle() {
    local client
    bench --time $((seconds * 10)) --log --log-prefix "/srv/postgresql/done.$cluster" &
    client=$!
    sleep "$seconds"
    pkill -KILL -u "$user" -x postgres
    wait $client
    while pgrep -u "$user" -x postgres; do sleep 0.1; done
    ! pg pg_ctl status -D "/srv/postgresql/$cluster"
}

has_recovered() {
    grep 'automatic recovery in progress' "$root/srv/postgresql/$cluster.log" &&
        grep 'redo done' "$root/srv/postgresql/$cluster.log"
}

# Each transaction adds the same to one row of each table.
sums_agree() {
    is t query "SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(bbalance) FROM pgbench_branches)
        AND (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(tbalance) FROM pgbench_tellers)
        AND (SELECT sum(tbalance) FROM pgbench_tellers) = (SELECT sum(delta) FROM pgbench_history)"
}

# A line in the log is a commit that a client was told of; each of the four may have one more of which it was not.
told_is_there() {
    local told there
    told=$(cat "$root/srv/postgresql/done.$cluster".* | wc -l)
    there=$(($(query 'SELECT count(*) FROM pgbench_history') - counted_before))
    echo "$told told, $there there"
    ((told > 0 && there >= told && there <= told + 4))
}

count_history() {
    counted_before=$(query 'SELECT count(*) FROM pgbench_history')
    [[ -n $counted_before ]]
}

crash_and_check() {
    ok "$cluster: pgbench, 200 transactions of 4 clients" bench --transactions 50
    ok "$cluster: the sums agree" sums_agree
    ok "$cluster: transactions are counted" count_history
    ok "$cluster: killed under load" kill_in_the_middle
    ok "$cluster: starts again" server start || give_up
    ok "$cluster: it has recovered" has_recovered
    ok "$cluster: what clients were told is there" told_is_there
    sed -n '$ s/^/# /p' "$ktap_log"
    ok "$cluster: the sums agree after the crash" sums_agree
    ok "$cluster: pg_amcheck" pg pg_amcheck --heapallindexed bench
    ok "$cluster: pgbench goes on" bench --transactions 25
    ok "$cluster: stops" server stop
    ok "$cluster: the checksums of all pages are right" pg pg_checksums --check -D "/srv/postgresql/$cluster"
}

cluster=old
ok "$cluster: the cluster of the lower layer starts" server start || give_up
crash_and_check
cluster=new
ok "$cluster: initdb makes a cluster" start_anew || give_up
ok "$cluster: pgbench makes its tables" make_tables
crash_and_check
close_tree
