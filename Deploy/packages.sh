# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors
#
# Sourced by the scripts beside it: what Debian and Python packages Waxwing is built and tested with, and how
# they get onto the machine. Nothing that is there already is touched, and no daemon is ever started.

# Libraries to build with, and the DNSSEC root key to run with.
build_packages=(
    ca-certificates dns-root-data libldns-dev libsqlite3-dev libssl-dev libsystemd-dev libunbound-dev pkg-config)

# Clients, verifiers and tools of the tests.
test_packages=(
    curl e2fsprogs git-email iproute2 libmail-dkim-perl msmtp mutt openssl php-cli python3-venv s-nail strace swaks util-linux)

# Daemons are unpacked below $tools and not installed: a machine's own mail or name server stays what it is.
tools=$top/.build-tests/tools

# The Python environment of the tests and of the benchmark.
venv=$top/.build-tests/venv

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "this needs root once: $*"
    fi
}

# apt-get without questions. The policy file keeps maintainer scripts from starting services.
apt() {
    mkdir -p "$top/.build-tests"
    local policy=/usr/sbin/policy-rc.d made="" status=0
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        made=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 "$@" >"$top/.build-tests/apt.log" 2>&1 ||
        status=$?
    [ -z "$made" ] || as_root rm -f "$policy"
    return "$status"
}

# install_packages NAME…: installs the ones that are missing.
install_packages() {
    local name missing=()
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    mkdir -p "$top/.build-tests"
    say "installing ${missing[*]}"
    apt install --no-install-recommends "${missing[@]}" ||
        { apt update && apt install --no-install-recommends "${missing[@]}"; } ||
        { tail -n 20 "$top/.build-tests/apt.log" >&2; die "apt-get could not install ${missing[*]}"; }
}

# unpack_programs NAME…: the programs of these packages below $tools, the libraries they need installed.
unpack_programs() {
    local name download=$tools/download libraries
    for name in "$@"; do
        [ ! -e "$tools/.$name" ] || continue
        say "unpacking $name"
        rm -rf "$download" && mkdir -p "$download"
        (cd "$download" && apt-get -qq download "$name" >/dev/null 2>&1) || {
            apt update || true
            (cd "$download" && apt-get -qq download "$name" >/dev/null) || die "apt-get could not download $name"
        }
        libraries=$(dpkg-deb -f "$download/$name"_*.deb Pre-Depends Depends | tr ',' '\n' |
            sed -n 's/^\([A-Za-z-]*:\)\? *\(lib[a-z0-9.+-]*\|[a-z0-9.+-]*-libs\)\([ :].*\)\?$/\2/p' | sort -u)
        # shellcheck disable=SC2086 # a list of package names
        install_packages $libraries
        dpkg-deb -x "$download/$name"_*.deb "$tools"
        rm -rf "$download"
        touch "$tools/.$name"
    done
}

# make_venv REQUIREMENTS: the Python packages of that file, at the versions it pins.
make_venv() {
    local stamp=$venv/.requirements
    ! cmp -s "$1" "$stamp" || return 0
    install_packages python3-venv
    say "Python packages of ${1#"$top"/}"
    rm -rf "$venv"
    mkdir -p "${venv%/*}"
    /usr/bin/python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --use-pep517 --disable-pip-version-check --requirement "$1" || die "pip could not install the packages of $1"
    cp "$1" "$stamp"
}
