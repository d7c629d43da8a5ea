"""What a server tells."""

from __future__ import annotations

from typing import List, TypedDict


class Reading(TypedDict):
    """What a clock shows."""

    #: Milliseconds since the Unix epoch.
    unix_ms: int
    #: Milliseconds that passed by this clock since the server was started.
    elapsed_ms: int
    #: Seconds that pass in each second.
    rate: float


class RuleCounts(TypedDict):
    """How often a rule did what it says."""

    id: str
    kind: str
    #: How many requests it was about.
    seen: int
    #: Into how many of them it was injected.
    injected: int
    #: How often that changed what would have happened.
    effective: int


class RuleReport(RuleCounts, total=False):
    """A rule and what it has done; what belongs to its kind comes with it."""

    command: List[str]
    key: str
    transport: str
    skip: int
    next: int
    probability: float
    seed: int


class Injection(TypedDict):
    """A fault that was injected into a request."""

    id: int
    rule: str
    kind: str
    unix_ms: int
    transport: str
    client: str
    command: str
    keys: List[str]
    effective: bool


class Report(TypedDict):
    """The rules in force, and what was injected."""

    rules: List[RuleReport]
    injections: List[Injection]


class Command(TypedDict):
    """A command, without the arguments that may be secret."""

    name: str
    keys: List[str]


class Request(TypedDict):
    """A request that arrived."""

    id: int
    unix_ms: int
    transport: str
    client: str
    commands: List[Command]


class Lost(TypedDict):
    """What a failover or a restart lost."""

    writes: int
    keys: int
