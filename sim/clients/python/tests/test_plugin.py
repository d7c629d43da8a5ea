"""The fixtures, as another project uses them."""

USE = """
import socket
from urllib.parse import urlsplit

import pytest

def ask(server, line):
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(line.encode() + b"\\r\\n")
        return connection.recv(100)
"""


def test_each_test_begins_with_an_empty_server(pytester):
    pytester.makepyfile(
        USE
        + """
@pytest.mark.parametrize("again", range(3))
def test_once(leasehold, again):
    assert ask(leasehold, "INCR runs") == b":1\\r\\n"
    leasehold.fault("hang")
"""
    )
    pytester.runpytest_subprocess("-p", "no:xdist").assert_outcomes(passed=3)


def test_one_server_serves_all_tests_and_is_started_as_the_project_says(pytester):
    pytester.makepyfile(
        USE
        + """
seen = set()

@pytest.fixture(scope="session")
def leasehold_options():
    return {"clock": 60}

@pytest.mark.parametrize("again", range(3))
def test_once(leasehold, leasehold_server, again):
    assert leasehold is leasehold_server
    assert leasehold.clock()["rate"] == 60
    seen.add(leasehold.url)
    assert len(seen) == 1
"""
    )
    pytester.runpytest_subprocess("-p", "no:xdist").assert_outcomes(passed=3)


def test_each_parallel_worker_has_a_server_of_its_own(pytester):
    pytester.makepyfile(
        USE
        + """
import pathlib

@pytest.mark.parametrize("number", range(20))
def test_one(leasehold, number, worker_id):
    assert ask(leasehold, "INCR runs") == b":1\\r\\n"
    pathlib.Path("seen-" + worker_id).write_text(leasehold.url)
"""
    )
    pytester.runpytest_subprocess("-n", "2").assert_outcomes(passed=20)
    seen = [path.read_text() for path in pytester.path.glob("seen-*")]
    assert len(set(seen)) == len(seen) > 0


def test_a_program_that_is_not_there_is_told_of(pytester, monkeypatch):
    monkeypatch.setenv("LEASEHOLD_BIN", "/nowhere/leasehold")
    pytester.makepyfile("def test_one(leasehold): pass")
    result = pytester.runpytest_subprocess("-p", "no:xdist")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*BinaryNotFound*cargo install leasehold*"])
