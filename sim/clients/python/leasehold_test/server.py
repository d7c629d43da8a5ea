"""A server for tests, and what a test may ask of it."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Type, Union
from urllib.parse import quote

from ._admin import Admin
from ._process import Process
from .types import Injection, Lost, Reading, Report, Request, RuleReport

#: A length of time: seconds, or a ``timedelta``.
Time = Union[float, timedelta]


class Server:
    """A server of its own on free ports, which listens once this has been made.

    It ends with :meth:`stop`, at the end of a ``with`` block, or with this process, however that ends.

    ``clock`` says how its clock runs: ``"frozen"`` moves only by :meth:`advance` and
    :meth:`set_clock`, ``"real"`` keeps the time of this machine, and a number is the seconds that pass
    in each second. ``seed`` is that of what is left to chance, such as a rule's ``probability``.
    ``bin`` is the program ``leasehold``; if not given, ``LEASEHOLD_BIN``, else the one in ``PATH``.

    Raises :class:`BinaryNotFound` or :class:`NotStarted`; the methods raise :class:`Refused` or
    :class:`ServerGone`.
    """

    #: Where Redis clients connect, such as ``redis://127.0.0.1:6399``.
    url: str
    #: Where clients of Upstash's REST protocol connect.
    rest_url: str
    #: What those clients have to show.
    rest_token: str
    #: The number of its process.
    pid: int

    def __init__(
        self, *, clock: Union[str, float] = "frozen", seed: int = 1, bin: Optional[str] = None
    ) -> None:
        free = "127.0.0.1:0"
        arguments = ["serve", "--json", "--until-stdin-closes", "--rest", free, "--resp", free]
        arguments += ["--admin", free, "--clock", str(clock), "--seed", str(seed)]
        self.rest_token = secrets.token_hex(16)
        token = secrets.token_hex(16)
        # What the server reads from the environment is said here, and nowhere else.
        others = ("LEASEHOLD_PASSWORD", "LEASEHOLD_READ_ONLY_TOKEN")
        environment = {name: value for name, value in os.environ.items() if name not in others}
        environment.update(LEASEHOLD_TOKEN=self.rest_token, LEASEHOLD_ADMIN_TOKEN=token)
        self._process = Process(bin, arguments, environment)
        addresses = self._process.addresses
        self.url, self.rest_url = addresses["resp"], addresses["rest"]
        self.pid = self._process.pid
        self._admin = Admin(addresses["admin"], token)

    @property
    def env(self) -> Dict[str, str]:
        """The addresses as variables, for code that reads its environment."""
        return {
            "REDIS_URL": self.url,
            "UPSTASH_REDIS_REST_URL": self.rest_url,
            "UPSTASH_REDIS_REST_TOKEN": self.rest_token,
        }

    def advance(self, time: Time = 0, *, ms: int = 0) -> Reading:
        """Lets so many seconds, and so many milliseconds, pass at once: keys expire, delays end."""
        return self.set_clock(advance_ms=_ms(time) + ms)

    def clock(self) -> Reading:
        """What its clock shows."""
        reading: Reading = self._admin.call("GET", "/clock")
        return reading

    def set_clock(self, **change: Union[str, float]) -> Reading:
        """Changes its clock, all at once: ``mode`` (``"real"`` or ``"frozen"``) or ``rate``,
        ``unix_ms``, ``jump_ms``, ``advance_ms``."""
        reading: Reading = self._admin.call("POST", "/clock", change)
        return reading

    def fault(self, rule: Union[str, Mapping[str, Any]]) -> Fault:
        """Puts a fault in force: ``"reply-loss command=SET next=1"``, or the same as a mapping."""
        told = rule if isinstance(rule, str) else dict(rule)
        return Fault(self._admin.call("POST", "/faults", told)["id"], self._admin)

    def faults(self) -> Report:
        """All rules in force, and what was injected."""
        report: Report = self._admin.call("GET", "/faults")
        return report

    def clear_faults(self) -> None:
        """Takes all rules out of force, and forgets what they did."""
        self._admin.call("DELETE", "/faults")

    def requests(self) -> List[Request]:
        """The last thousand requests, oldest first."""
        requests: List[Request] = self._admin.call("GET", "/requests")["requests"]
        return requests

    def failover(self, *, lose: Time = 0, down: Time = 0) -> Lost:
        """A replica takes over that lacks the last writes; nobody answers for ``down``."""
        lost: Lost = self._admin.call("POST", "/failover", {"lose": _span(lose), "down": _span(down)})
        return lost

    def restart(self, *, down: Time = 0) -> Lost:
        """The server comes back without data and scripts; nobody answers for ``down``."""
        lost: Lost = self._admin.call("POST", "/restart", {"down": _span(down)})
        return lost

    def flush(self) -> None:
        """Removes every key. Connections, scripts, faults and the clock stay."""
        self._admin.call("POST", "/flush")

    def snapshot(self) -> str:
        """Takes down every key and the time, and says its name. The last 16 are kept."""
        return str(self._admin.call("POST", "/snapshot")["id"])

    def restore(self, id: str) -> None:
        """Goes back to the keys and the time of a snapshot. Connections, scripts and faults stay."""
        self._admin.call("POST", "/restore", {"id": id})

    def reset(self) -> None:
        """Makes the server as it was when it started: no keys, no faults, and the time and pace of its
        first clock. Connections, scripts and snapshots stay."""
        self._admin.call("POST", "/reset")

    def stop(self) -> None:
        """Ends the server."""
        self._process.end()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.stop()


class Fault:
    """A rule in force."""

    def __init__(self, id: str, admin: Admin) -> None:
        #: Its name.
        self.id = id
        self._admin = admin

    def rule(self) -> RuleReport:
        """The rule, and how often it was injected and took effect."""
        rule: RuleReport = self._admin.call("GET", self._path("faults"))["rule"]
        return rule

    def injections(self) -> List[Injection]:
        """Into which requests it was injected."""
        injections: List[Injection] = self._admin.call("GET", self._path("faults"))["injections"]
        return injections

    @property
    def effective(self) -> int:
        """How often it changed what would have happened. A test whose fault did not has shown
        nothing."""
        return self.rule()["effective"]

    def remove(self) -> None:
        """Takes it out of force."""
        self._admin.call("DELETE", self._path("faults"))

    def release(self) -> int:
        """Lets the requests go that a rule of the kind ``hold`` holds; how many."""
        return int(self._admin.call("POST", self._path("release"))["released"])

    def _path(self, of: str) -> str:
        return f"/{of}/{quote(self.id, safe='')}"


def _span(time: Time) -> str:
    return f"{_ms(time)}ms"


def _ms(time: Time) -> int:
    seconds = time.total_seconds() if isinstance(time, timedelta) else time
    return round(seconds * 1_000)
