# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Packages of any Debian suite, without the host knowing: an apt with a root of its own. Its lists,
# its cache and what it believes to be installed (nothing) lie in one directory. Of the host's apt it
# takes the archive's address, proxies and passwords, never preferences or keys.

readonly debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# make_private_apt DIR SUITE...: from then on, `private_apt DIR get|cache ...` works. For packages of
# $apt_architecture, if that is set.
make_private_apt() {
    local dir=$1 output
    shift
    install_packages debian-archive-keyring
    mkdir -p "$dir"/etc/{apt.conf.d,preferences.d,trusted.gpg.d,sources.list.d} "$dir"/{state/lists,cache/archives}/partial
    debian_sources "$@" >"$dir/etc/sources.list"
    : >"$dir/status"
    # The host's hooks would act on the host. Unsigned archives are refused whatever the host allows.
    cat >"$dir/apt.conf" <<CONF
#clear APT::Update;
#clear DPkg;
#clear Dir::State;
#clear Dir::Cache;
#clear APT::Architectures;
APT::Architecture "${apt_architecture:-amd64}";
APT::Architectures { "${apt_architecture:-amd64}"; };
Dir "$dir/";
Dir::Etc "etc";
Dir::Etc::netrc "/etc/apt/auth.conf";
Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
Dir::State "state";
Dir::State::lists "lists";
Dir::State::status "$dir/status";
Dir::Cache "cache";
Dir::Cache::archives "archives";
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
CONF
    output=$(private_apt "$dir" get -q update 2>&1) ||
        die "apt: cannot fetch the package lists of $*:"$'\n'"$output"
}

# private_apt DIR get|cache ARGUMENT...
private_apt() {
    local dir=$1 tool=$2
    shift 2
    "apt-$tool" -c "$dir/apt.conf" "$@" </dev/null
}

# debian_sources SUITE...: lines for sources.list. Without security updates rather than not at all.
debian_sources() {
    local suite uri
    for suite; do
        uri=$(debian_uri "$suite")
        if [[ -z $uri && $suite != *-security ]]; then
            update_package_lists
            uri=$(debian_uri "$suite")
            [[ -n $uri ]] || die "apt: none of this host's package sources is Debian's main archive"
        fi
        [[ -z $uri ]] || echo "deb [arch=${apt_architecture:-amd64} signed-by=$debian_keyring] $uri $suite main"
    done
}

# debian_uri SUITE: where the host gets packages like these from. All suites lie side by side in one of two
# archives. apt answers for both forms of its sources, once it has fetched their lists.
debian_uri() {
    local label=Debian
    [[ $1 != *-security ]] || label=Debian-Security
    apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk -F '|' -v label="$label" '$1 == "Debian" && $2 == label && $3 !~ /^cdrom:/ { print $3; exit }'
}
