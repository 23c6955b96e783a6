#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Images to and from a real registry (Debian's docker-registry, on loopback), by way of skopeo. Runs in the guest, as
# root; speaks KTAP. It needs no module.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")

# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"
# shellcheck source=tests/commands/lib/layout.sh
source "$tests/commands/lib/layout.sh"

export SHALE_ROOT=$scratch/store
for program in skopeo docker-registry; do
    command -v $program >/dev/null || skip_all "$program is not installed"
done
ip link set lo up 2>/dev/null

read -r manifest config _ _ _ _ < <(make_image layout) || give_up
port=$((20000 + $$ % 20000))
registry=127.0.0.1:$port
cat >config.yml <<EOT
version: 0.1
storage: {filesystem: {rootdirectory: $scratch/registry}}
http: {addr: $registry}
EOT
docker-registry serve config.yml >registry.log 2>&1 &
server=$!
for _ in {1..200}; do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.1
done

field() { shale image ls --json | /usr/bin/python3 -IBS -c 'import json, sys
print(next(i[sys.argv[2]] for i in json.load(sys.stdin) if i["name"] == sys.argv[1]))' "$1" "$2"; }

echo "TAP version 13"
shale image import layout:one >/dev/null || give_up
shale image ls --json | /usr/bin/python3 -IBS -c 'import json, sys; print([(l["diff_id"], l["blob"], l["chain_id"]) for l in json.load(sys.stdin)[0]["layers"]])' >layers.before
ok "push" says "pushed one to $registry/some/one:1: 2 layers|" shale image push --insecure one "$registry/some/one:1"
ok "push: the registry has the manifest that the image came with" shows "$manifest" skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/some/one:1"
ok "push: leaves nothing in the staging directory" is_empty store/staging
ok "push: an unknown image is named" refuses 1 "nosuch|image ls|" shale image push --insecure nosuch "$registry/x:1"

mv store before
ok "pull: into an empty store" says "pulled $registry/some/one:1: 2 layers|" shale image pull --insecure "$registry/some/one:1"
ok "pull: the same manifest" shows "$manifest" field "$registry/some/one:1" manifest
ok "pull: the same config" shows "$config" field "$registry/some/one:1" config
shale image ls --json | /usr/bin/python3 -IBS -c 'import json, sys; print([(l["diff_id"], l["blob"], l["chain_id"]) for l in json.load(sys.stdin)[0]["layers"]])' >layers.after
ok "pull: the same layers" cmp layers.before layers.after
ok "pull: each blob, byte by byte" same_blobs before store
ok "pull: as imported" shale image verify
ok "pull: leaves nothing in the staging directory" is_empty store/staging
ok "pull: under a name of one's own, and with docker:// before it" says "pulled mine: 2 layers|2 of them in the store already|" \
    shale image pull --insecure "docker://$registry/some/one:1" --name mine
ok "push: where the name says" says "pushed $registry/some/one:1 to $registry/some/one:1|" shale image push --insecure "$registry/some/one:1"

ok "pull: what is not there" refuses 1 "$registry/no/such:1|skopeo failed|" shale image pull --insecure "$registry/no/such:1"
ok "pull: without --insecure, and what helps" refuses 1 "$registry/some/one:1|--insecure|" shale image pull "$registry/some/one:1" --name other
mkdir bin
ln -s "$(command -v shale)" bin/shale
ok "pull: without skopeo, the package is named" refuses 1 "skopeo|not installed|install the package skopeo|" env PATH="$scratch/bin" shale image pull --insecure "$registry/some/one:1" --name other
shale gc --blobs >/dev/null
ok "push: without blobs it is refused" refuses 1 "import it again|" shale image push --insecure mine "$registry/mine:1"
kill $server
wait $server 2>/dev/null
ok "pull: without a registry" refuses 1 "$registry/some/one:1|skopeo failed|" shale image pull --insecure "$registry/some/one:1" --name other
ok "pull: of all that, nothing is left in the staging directory" is_empty store/staging

finish
