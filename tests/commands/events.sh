#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the command events promises: what happens is told as it happens, once, to the right listener. Runs in the
# guest, as root, with the module loaded; speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")
# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"
shale=$(command -v shale)

mkdir -p b/d u w m m2 u2 w2
echo base >b/f; echo gone >b/gone; echo x >b/d/x; echo g >b/g; echo h >b/h
for i in {1..40}; do echo "$i" >"b/n$i"; done

# follow OPTION...: begins to listen, into the files told and lost; leaves the process in $follower
follow() {
    # A shell has its children in the background ignore SIGINT.
    /usr/bin/python3 -IBS -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])' \
        "$shale" events "$@" >told 2>lost &
    follower=$!
    # The group that it joins last, of which the kernel's own family is the sender, is bit 15 there.
    local tries
    for ((tries = 0; tries < 400; tries++)); do
        awk -v pid=$follower '$2 == 16 && $3 % 4194304 == pid && $4 ~ /[89a-f]...$/ { found = 1 } END { exit !found }' \
            /proc/net/netlink && return
        kill -0 $follower 2>/dev/null || return
        sleep 0.05
    done
}

# ends STATUS: the follower does, within a while, and so
ends() {
    local tries status
    for ((tries = 0; tries < 200; tries++)); do
        kill -0 "$follower" 2>/dev/null || break
        sleep 0.05
    done
    kill -KILL "$follower" 2>/dev/null && echo "it had to be killed"
    wait "$follower"
    status=$?
    echo "status $status"; cat told lost
    ((status == $1))
}

stop() { kill -TERM "$follower"; ends 0; }

# of_events EXPRESSION: of the list of what came
of_events() {
    /usr/bin/python3 -IBS -c "import json, sys; e = [json.loads(line) for line in open('told')]; print($1)"
}

echo "TAP version 13"
shale mount --lower b --upper u --work w -o redirect_dir=on m --name web >/dev/null || give_up
id=$(json "d[0]['id']" shale mounts --json)

follow --json --count 1 m
sh -c 'echo more >>m/f'
ok "ends after as many events as it is told to" ends 0
ok "tells of a copy-up" shows "['copied-up', '/f', 5, 'open']" of_events "[e[0][k] for k in ('kind', 'path', 'bytes', 'reason')]"
ok "and in which mount" shows "[$id, '$scratch/m']" of_events "[e[0]['mount'], e[0]['mountpoint']]"
ok "and of which object" shows "$(stat -c %i m/f)" of_events "e[0]['ino']"
ok "and who did it" shows "['sh', 0]" of_events "[e[0]['comm'], e[0]['uid']]"
ok "and when" shows "True" of_events "abs(e[0]['time'] / 1e9 - $(date +%s)) < 60"
ok "and nothing else" shows "1" of_events "len(e)"

follow --json m
rm m/gone; mv m/d m/d2; chmod 600 m/g; echo new >m/new; sleep 0.5
ok "SIGTERM ends it with status 0" stop
ok "tells of a whiteout" shows "True" of_events "('whited-out', '/gone') in [(x['kind'], x.get('path')) for x in e]"
ok "tells of a redirect, and which" shows "True" of_events "any(x['kind'] == 'redirected' and x['redirect'].endswith('d') for x in e)"
ok "tells of a copy-up for attributes" shows "['attributes']" of_events "[x['reason'] for x in e if x['kind'] == 'copied-up' and x['path'] == '/g']"
ok "numbers them without gap" shows "True" of_events "[x['seq'] for x in e] == list(range(e[0]['seq'], e[0]['seq'] + len(e)))"
ok "and none was lost" test ! -s lost

follow --json m --kind whited-out
sh -c 'echo more >>m/h'; rm m/g; sleep 0.5
kill -INT $follower
ok "SIGINT ends it with status 0" ends 0
ok "--kind leaves out all others" shows "['whited-out']" of_events "[x['kind'] for x in e]"
ok "a kind that it didn't listen to is no loss" test ! -s lost

shale mount --lower b --upper u2 --work w2 m2 >/dev/null
follow --json m2
sh -c 'echo more >>m/n40; echo more >>m2/n40'; sleep 0.5
umount m2
ok "ends when the only mount that was named is unmounted" ends 0
ok "tells of that mount only" shows "1" of_events "len({x['mount'] for x in e})"
ok "the last is that it is unmounted" shows "unmounted" of_events "e[-1]['kind']"

follow
shale mount --lower b --upper u2 --work w2 m2 >/dev/null; sh -c 'echo more >>m2/n1'; umount m2; sleep 0.5
ok "follows all mounts, new ones as well" stop
ok "as text, with all that matters" grep -E "^[0-9:.]+  copied-up  $scratch/m2  /n1  for open, [0-9]+ B, [0-9.]+ ms, by sh\[[0-9]+\] of uid 0$" told
ok "mounting and unmounting" sh -c 'grep -q "  mounted  " told && grep "  unmounted  " told'

follow --json m
shale set m --event-rate 3 >/dev/null
for i in {1..20}; do echo >>"m/n$i"; done
sleep 1.5; sh -c 'echo >>m/n21'; sleep 0.5
ok "ends though events were dropped" stop
ok "events above the rate are told as lost" grep -E "$scratch/m: [0-9]+ events lost before number [0-9]+, [0-9]+ of them above the mount's rate" lost
dropped=$(json "d['events_dropped']" shale stats m --json)
ok "and counted by the kernel" test "$dropped" -gt 0
ok "each that was made was delivered or is counted" shows "True" of_events \
    "e[-1]['seq'] - e[0]['seq'] + 1 == len(e) + e[-1]['dropped'] - e[0]['dropped']"
shale set m --event-rate 0 >/dev/null

shale set m --events failed --max-copy-up 1 >/dev/null
follow --json m --count 1
sh -c 'echo >>m/n30' 2>/dev/null
ok "what may not be copied up is told as failed" ends 0
ok "with its name and why" shows "['failed', '/n30', 'EFBIG', 'open']" of_events "[e[0][k] for k in ('kind', 'path', 'error', 'reason')]"

ok "an unknown kind is wrong usage" refuses 2 "\"nonsense\"|copied-up|" shale events --kind nonsense
ok "what is no mount is refused" refuses 1 "/proc: not a Shale mount|" shale events /proc
ok "whoever is not root is refused" refuses 1 "sudo|" setpriv --reuid 65534 --clear-groups "$shale" events
umount m
finish
