import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from leasehold_test import BinaryNotFound, NotStarted, Refused, Server, ServerGone


def ask(server, *lines):
    """What the server, or the one at this address, replies to commands."""
    address = urlsplit(server if isinstance(server, str) else server.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in lines).encode())
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as replies:
            return replies.read().decode()


def test_time_passes_when_it_is_told_to(leasehold):
    ask(leasehold, "SET key value PX 1000")
    before = leasehold.clock()
    assert before["rate"] == 0
    now = leasehold.advance(1, ms=1)
    assert now["unix_ms"] == before["unix_ms"] + 1_001
    assert ask(leasehold, "GET key") == "$-1\r\n"
    assert leasehold.advance(timedelta(minutes=1))["unix_ms"] == now["unix_ms"] + 60_000
    assert leasehold.set_clock(mode="real")["rate"] == 1


def test_a_fault_is_injected_and_tells_of_it(leasehold):
    fault = leasehold.fault("error text=OOM command=SET next=1")
    assert fault.effective == 0
    assert ask(leasehold, "SET key value").startswith("-OOM")
    assert fault.effective == 1
    [injection] = fault.injections()
    assert (injection["command"], injection["keys"]) == ("SET", ["key"])
    assert leasehold.faults() == {"rules": [fault.rule()], "injections": [injection]}
    fault.remove()
    with pytest.raises(Refused, match="there is no rule") as refused:
        fault.rule()
    assert refused.value.status == 404


def test_a_fault_is_a_mapping_too(leasehold):
    leasehold.fault({"kind": "error", "text": "OOM", "command": ["SET", "INCR"]})
    assert ask(leasehold, "INCR a").startswith("-OOM")
    leasehold.clear_faults()
    assert leasehold.faults() == {"rules": [], "injections": []}


def test_a_request_that_is_held_is_released(leasehold):
    fault = leasehold.fault("hold command=SET next=1")
    address = urlsplit(leasehold.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(b"SET key held\r\n")
        while not fault.rule()["injected"]:
            pass
        assert ask(leasehold, "GET key") == "$-1\r\n"
        assert fault.release() == 1
        assert connection.recv(5) == b"+OK\r\n"


def test_the_requests_are_told(leasehold):
    ask(leasehold, "SET key value")
    last = leasehold.requests()[-1]
    assert (last["transport"], last["commands"]) == ("resp", [{"name": "SET", "keys": ["key"]}])


def test_a_snapshot_is_what_the_server_goes_back_to(leasehold):
    ask(leasehold, "SET key value PX 1000")
    taken = leasehold.snapshot()
    leasehold.advance(5)
    leasehold.flush()
    leasehold.restore(taken)
    assert ask(leasehold, "PTTL key") == ":1000\r\n"
    with pytest.raises(Refused, match="there is no snapshot `none`"):
        leasehold.restore("none")


def test_a_reset_takes_away_keys_faults_and_what_the_clock_was_told(leasehold):
    ask(leasehold, "SET key value")
    leasehold.fault("hang")
    leasehold.set_clock(rate=5, jump_ms=86_400_000)
    leasehold.reset()
    assert ask(leasehold, "DBSIZE") == ":0\r\n"
    assert leasehold.faults()["rules"] == []
    clock = leasehold.clock()
    assert clock["rate"] == 0
    assert clock["unix_ms"] < (time.time() + 3_600) * 1_000


def test_a_failover_and_a_restart_lose_data(leasehold):
    ask(leasehold, "SET a 1")
    assert leasehold.failover(lose=1) == {"writes": 1, "keys": 1}
    ask(leasehold, "SET b 1")
    assert leasehold.restart()["keys"] == 1


def test_a_wrong_call_is_refused_with_the_servers_sentence(leasehold):
    with pytest.raises(Refused, match="choose one of latency"):
        leasehold.fault("explode")
    with pytest.raises(Refused, match="invalid value"):
        leasehold.advance(-1)
    with pytest.raises(Refused, match="unknown field `speed`"):
        leasehold.set_clock(speed=2)


def test_code_that_reads_its_environment_finds_the_server(leasehold_env):
    assert os.environ["REDIS_URL"] == leasehold_env.url
    request = urllib.request.Request(os.environ["UPSTASH_REDIS_REST_URL"] + "/ping")
    request.add_header("Authorization", "Bearer " + os.environ["UPSTASH_REDIS_REST_TOKEN"])
    with urllib.request.urlopen(request) as answer:
        assert answer.read().strip() == b'{"result":"PONG"}'


def test_a_proxy_does_not_stand_in_between(leasehold, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    leasehold.reset()


def test_two_servers_share_nothing_and_one_that_was_stopped_is_gone(leasehold):
    with Server(clock="real", seed=7) as other:
        ask(other, "SET key value")
        assert ask(leasehold, "DBSIZE") == ":0\r\n"
        assert other.clock()["rate"] == 1
    other.stop()
    with pytest.raises(ServerGone, match="has it ended"):
        other.reset()


def test_what_cannot_be_run_says_how_to_install_it(monkeypatch):
    with pytest.raises(BinaryNotFound, match="argument `bin` names it.*cargo install leasehold"):
        Server(bin="/nowhere/leasehold")
    monkeypatch.setenv("LEASEHOLD_BIN", "/nowhere/leasehold")
    with pytest.raises(BinaryNotFound, match="`/nowhere/leasehold` .*LEASEHOLD_BIN names it"):
        Server()
    monkeypatch.delenv("LEASEHOLD_BIN")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BinaryNotFound, match="looked for in PATH"):
        Server()


def test_what_does_not_start_tells_why():
    with pytest.raises(NotStarted, match="(?s)status 2 .*real, frozen, or a number"):
        Server(clock="fast")
    with pytest.raises(NotStarted, match="ended with status"):
        Server(bin=sys.executable)


def gone(pid):
    """Returns once that process is gone; whoever runs the tests tells if it never is."""
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.005)


def owner(then):
    """A program that has started a server; the server's number and address."""
    code = f"import os, sys, time, leasehold_test as l\ns = l.Server()\nprint(s.pid, s.url, flush=True)\n{then}"
    child = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, text=True)
    pid, url = child.stdout.readline().split()
    return child, int(pid), url


def test_a_server_ends_with_its_owner():
    child, pid, _ = owner("")
    child.communicate()
    assert child.returncode == 0
    gone(pid)


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_nothing_is_left_behind_by_an_owner_that_is_killed():
    child, pid, url = owner("time.sleep(1000)")
    assert ask(url, "PING") == "+PONG\r\n"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    gone(pid)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks")
def test_a_copy_of_the_owner_does_not_keep_the_server():
    child, pid, url = owner("copy = os.fork()\nif copy: print(copy, flush=True)\ntime.sleep(1000)")
    copy = int(child.stdout.readline())
    try:
        assert ask(url, "PING") == "+PONG\r\n"
        child.kill()
        gone(pid)
    finally:
        os.kill(copy, signal.SIGKILL)
        child.communicate()
