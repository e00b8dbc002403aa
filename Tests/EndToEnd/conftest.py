# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

"""Fixtures of the end-to-end tests: the real binary, on loopback, one relay a test."""

import os
from pathlib import Path

import pytest

from support import next_hops
from support.machine import TOP
from support.relay import Relay
from support.verifiers import assert_all_verified

DOMAIN = "sender.example"


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also the tests that take minutes and gigabytes")
    parser.addoption("--complete", action="store_true", help="a test that this machine cannot run is a failure")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes or gigabytes; runs with --long")
    config.addinivalue_line("markers", "unsigned: mail leaves without signature here")
    config.addinivalue_line("markers", "witnessed: the test verifies what left, with what its own DNS showed then")
    config.addinivalue_line("markers", "root: needs root, for a name space, a mount or port 53")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
        items[:] = [item for item in items if not item.get_closest_marker("long")]


def pytest_runtest_setup(item):
    if item.get_closest_marker("root") and os.getuid() != 0:
        (pytest.fail if item.config.getoption("--complete") else pytest.skip)("needs root")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.failed_in_call = report.failed
    return report


@pytest.fixture(scope="session")
def binary() -> Path:
    """The program under test."""
    path = Path(os.environ.get("WAXWING_BINARY") or TOP / ".build/release/waxwing")
    assert os.access(path, os.X_OK), f"no program at {path}: Deploy/test builds it, or name one in WAXWING_BINARY"
    return path.resolve()


@pytest.fixture
def is_long(request) -> bool:
    return request.config.getoption("--long")


@pytest.fixture
def bare_relay(binary, request):
    """A relay that is configured but has no keys and is not started.

    After the test, whatever any next hop took must carry signatures that all three verifiers pass, unless it is marked
    `unsigned` or `witnessed`.
    """
    relay = Relay(binary)
    next_hops.opened.clear()
    yield relay
    failed = getattr(request.node, "failed_in_call", False)
    try:
        if not failed and not any(map(request.node.get_closest_marker, ("unsigned", "witnessed"))):
            failed = True
            taken = [content for hop in next_hops.opened for content in hop.taken]
            assert_all_verified(taken, relay.key_records() | next_hops.foreign_records())
            failed = False
    finally:
        relay.__exit__(AssertionError if failed else None, None, None)


@pytest.fixture
def relay(bare_relay) -> Relay:
    """A relay that is not started, with an active RSA key and an active Ed25519 key of its domain."""
    bare_relay.make_key(DOMAIN, "rsa1", "rsa-2048")
    bare_relay.make_key(DOMAIN, "ed1", "ed25519")
    return bare_relay
