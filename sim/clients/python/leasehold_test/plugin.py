"""Fixtures for pytest. Each worker of pytest-xdist is a process, and has a server of its own."""

from __future__ import annotations

from typing import Any, Dict, Iterator

import pytest

from .server import Server


@pytest.fixture(scope="session")
def leasehold_options() -> Dict[str, Any]:
    """How the server is started, as arguments of :class:`Server`. To be overridden."""
    return {}


@pytest.fixture(scope="session")
def leasehold_server(leasehold_options: Dict[str, Any]) -> Iterator[Server]:
    """The server of this worker, from its first use until the end of the session."""
    with Server(**leasehold_options) as server:
        yield server


@pytest.fixture
def leasehold(leasehold_server: Server) -> Server:
    """The server of this worker, reset for this test: no keys, no faults, the first time."""
    leasehold_server.reset()
    return leasehold_server


@pytest.fixture
def leasehold_env(leasehold: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The same, and for the length of this test the environment tells its addresses."""
    for name, value in leasehold.env.items():
        monkeypatch.setenv(name, value)
    return leasehold
