# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors
# shellcheck shell=bash disable=SC2034,SC2154 # names that the harness gives and reads
#
# Adapter for a harness that measures outbound relays side by side. The harness sets PEER_DIR (scratch),
# LISTEN_PORT, SINK_PORT (smarthost on loopback), DKIM_KEY (PKCS#1 PEM), DKIM_DOMAIN and DKIM_SELECTOR, and gives
# `wait_gone PID`. WAXWING names the program; the release build of this checkout unless set.
PEER_PACKAGES=""
PEER_SIGNS=yes
waxwing=${WAXWING:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/.build/release/waxwing}

peer_prepare() {
    cat >"$PEER_DIR/waxwing.toml" <<END
hostname = "bench.example"

[keys]
directory = "Keys"

[spool]
directory = "spool"

[control]
socket = "control.sock"

[[listener]]
address = "127.0.0.1"
port = $LISTEN_PORT

[[route]]
name = "sink"
to = ["*"]
smarthost = "127.0.0.1:$SINK_PORT"
tls = "off"
END
    # A key that others can read is refused, and the harness leaves its own open for all.
    install -m 0600 "$DKIM_KEY" "$PEER_DIR/key.pem"
    "$waxwing" keys import "$DKIM_DOMAIN" --selector "$DKIM_SELECTOR" "$PEER_DIR/key.pem" --config "$PEER_DIR/waxwing.toml" >/dev/null
    "$waxwing" keys activate "$DKIM_DOMAIN" --selector "$DKIM_SELECTOR" --force --config "$PEER_DIR/waxwing.toml" >/dev/null
}

peer_start() {
    "$waxwing" run --config "$PEER_DIR/waxwing.toml" >"$PEER_DIR/waxwing.log" 2>&1 </dev/null &
    echo $! >"$PEER_DIR/waxwing.pid"
}

peer_stop() {
    local pid
    pid=$(cat "$PEER_DIR/waxwing.pid") && kill "$pid" 2>/dev/null && wait_gone "$pid"
}
