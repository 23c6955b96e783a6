#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# sqlite.sh: SQLite's shell on a database that begins in the lower layer, in WAL mode: a reader that has it open from before the
# copy-up, then writers side by side, one of them killed.
#
#   SHALE_PROGRAMS_SQLITE_WRITERS, SHALE_PROGRAMS_SQLITE_TRANSACTIONS   how many, and of how many transactions each (4, 100)

set -u
export LC_ALL=C
# shellcheck source=tests/programs/lib/tree.sh
source "$(dirname "$0")/lib/tree.sh"

writers=${SHALE_PROGRAMS_SQLITE_WRITERS:-4} transactions=${SHALE_PROGRAMS_SQLITE_TRANSACTIONS:-100}
open_tree sqlite
database=/srv/sqlite/database

sql() {
    inside sqlite3 -batch -bail -cmd '.timeout 60000' $database "$@"
}

# Only reads: its descriptor is of the lower file, until there is a copy.
start_reader() {
    # shellcheck disable=SC2034 # reader is set and used
    coproc reader { inside stdbuf -o L sqlite3 -batch -bail -readonly $database; }
    reader_process=$! reader_in=${reader[1]} reader_out=${reader[0]}
}

# ask SQL: one line of the reader's answer
ask() {
    local answer
    echo "$1" >&"$reader_in"
    read -r -t 60 answer <&"$reader_out" && echo "$answer"
}

end_reader() {
    exec {reader_in}>&-
    wait "$reader_process"
}

# write_rows NUMBER: transactions of one row in each of two tables and a change of a row that all fight for.
write_rows() {
    local n
    for ((n = 1; n <= transactions; n++)); do
        echo "BEGIN IMMEDIATE; INSERT INTO rows VALUES ($1, $n, hex(randomblob(200))); INSERT INTO log VALUES ($1, $n);" \
            "UPDATE counter SET value = value + 1; COMMIT;"
    done | sql
}

write_all() {
    local n pids=() pid status=0
    for ((n = 1; n <= writers; n++)); do
        write_rows $n &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid" || status=1
    done
    return $status
}

# A transaction that is larger than the cache, so that it is partly written when its process is killed.
kill_a_writer() {
    local before after pid n
    before=$(sql 'SELECT count(*) FROM rows')
    mkfifo "$work/fifo"
    sql <"$work/fifo" &
    pid=$!
    exec {fifo}>"$work/fifo"
    echo 'PRAGMA cache_size = 10; BEGIN IMMEDIATE;
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
        INSERT INTO rows SELECT 1000, i, hex(randomblob(500)) FROM n;
        .shell touch /srv/sqlite/written' | sed 's/^ *//' >&"$fifo"
    for ((n = 0; n < 600; n++)); do
        [[ ! -e $root/srv/sqlite/written ]] || break
        sleep 0.1
    done
    pkill -KILL -P "$pid" || return
    exec {fifo}>&-
    wait "$pid"
    after=$(sql 'SELECT count(*) FROM rows')
    echo "$before rows before, $after after"
    [[ -e $root/srv/sqlite/written && $before == "$after" ]]
}

expected=$((10000 + writers * transactions))
ok "a reader opens the database" start_reader || give_up
ok "it reads what the lower layer has" is 10000 ask 'SELECT count(*) FROM rows;'
ok "a table is made" sql 'CREATE TABLE log (writer, number); CREATE TABLE counter (value); INSERT INTO counter VALUES (0)'
ok "the database is copied up" in_upper srv/sqlite/database
ok "the reader sees the new table" is 0 ask 'SELECT count(*) FROM log;'
ok "$writers writers of $transactions transactions each" write_all
ok "the reader sees all rows" is $expected ask 'SELECT count(*) FROM rows;'
ok "the reader finds nothing wrong" is ok ask 'PRAGMA integrity_check;'
ok "none is lost" is $((writers * transactions)) sql 'SELECT value FROM counter'
ok "each writer's are there" is "$writers|$((writers * transactions))" sql 'SELECT count(DISTINCT writer), count(*) FROM log'
ok "integrity_check" is ok sql 'PRAGMA integrity_check'
ok "a writer that is killed leaves nothing" kill_a_writer
ok "integrity_check after that" is ok sql 'PRAGMA integrity_check'
ok "a checkpoint moves all into the database" is '0|0|0' sql 'PRAGMA wal_checkpoint(TRUNCATE)'
ok "the reader ends" end_reader
ok "vacuum" sql 'VACUUM'
ok "rollback journals instead" is delete sql 'PRAGMA journal_mode = delete'
transactions=$((transactions / 4))
ok "what they wrote is deleted" sql 'DELETE FROM rows WHERE writer > 0; DELETE FROM log'
ok "$writers writers of $transactions transactions each, by rollback journal" write_all
ok "all their rows are there" is $((writers * transactions)) sql 'SELECT count(*) FROM log'
ok "integrity_check in the end" is ok sql 'PRAGMA integrity_check'
close_tree
