# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Makes in /srv what the programs work on: all that they later change lies in a lower layer. Runs on the host, in the image.

# 10,000 rows, of a writer that the tests don't have.
mkdir /srv/sqlite
sqlite3 /srv/sqlite/database <<'SQL'
PRAGMA journal_mode = wal;
CREATE TABLE rows (writer INTEGER, number INTEGER, text TEXT, PRIMARY KEY (writer, number));
CREATE INDEX by_text ON rows (text);
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000)
INSERT INTO rows SELECT 0, n, hex(randomblob(16)) FROM numbers;
SQL

# A cluster with checksums and the tables of pgbench. "new" is for initdb.
mkdir /srv/postgresql /srv/postgresql/new
chown -R postgres: /srv/postgresql
as_postgres() {
	setpriv --reuid postgres --regid postgres --clear-groups env HOME=/srv/postgresql "PATH=/usr/lib/postgresql/15/bin:$PATH" "$@"
}
as_postgres initdb --data-checksums --no-locale --wal-segsize=1 --auth=trust --no-instructions /srv/postgresql/old
as_postgres pg_ctl --wait -D /srv/postgresql/old -l /srv/postgresql/log -o "-c listen_addresses= -k /srv/postgresql" start
as_postgres createdb -h /srv/postgresql bench
as_postgres psql -h /srv/postgresql -c 'CREATE EXTENSION amcheck' bench
as_postgres pgbench -h /srv/postgresql -i -q -s 1 bench
as_postgres pg_ctl --wait -D /srv/postgresql/old stop
rm /srv/postgresql/log

# A repository of 5,000 files and 300 commits, with loose objects beside the pack.
mkdir /srv/git
git init -q --bare -b main /srv/git/repository
perl /srv/numbers.pl fast-import 5000 300 | git -C /srv/git/repository fast-import --quiet --depth=10

mkdir /srv/build
perl /srv/numbers.pl sources /srv/build 120

# For rsync and tar: whatever an inode can carry.
mkdir /srv/tree
cd /srv/tree
for n in 1 2 3 4 5 6 7 8; do
	mkdir -p "dir$n/deeper"
	for m in 1 2 3 4 5 6 7 8 9 10; do
		seq $((n * m * 10)) >"dir$n/file$m"
		ln "dir$n/file$m" "dir$n/deeper/link$m"
	done
	ln -s "../dir$n/file1" "dir$n/symlink"
	chown "$n:$((n + 100))" "dir$n"/file*
done
ln -s /nowhere dangling
touch "a name with spaces" "$(printf 'a name\nin two lines')" "$(printf 'not \377utf-8')"
mknod null c 1 3
mknod pipe p
truncate -s 16M sparse
echo end >>sparse
dd if=/dev/urandom of=large bs=1M count=4 status=none
setfacl -m u:1000:rw,g:1001:r dir1/file1
setfacl -m u:1000:rwx -m d:u:1000:rwx,d:g:1001:rx dir1
setfattr -n user.text -v "a value" dir2/file1
setfattr -n user.long -v "$(seq 300)" dir2/file2
setfattr -n trusted.mine -v "root's" dir2
setcap cap_net_raw+ep dir3/file1
chmod 4755 dir4/file1
chmod 2775 dir4
chmod 1777 dir5
chmod 0 dir6/file1
touch -d 2001-02-03T04:05:06.123456789Z dir7/file1 dir7
cd /srv

# Files with fio's own checksums in them.
mkdir /srv/fio
fio --directory=/srv/fio --rw=write --bs=4k --size=4m --verify=crc32c --do_verify=0 --ioengine=sync --filename_format='$jobname' \
	--name=buffered-sync --name=buffered-libaio --name=buffered-io_uring --name=buffered-mmap --name=buffered-splice \
	--name=direct-sync --name=direct-libaio --name=direct-io_uring

rm -f /srv/.bash_history /srv/.viminfo
