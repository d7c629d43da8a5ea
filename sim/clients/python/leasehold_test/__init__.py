"""An in-memory Redis and Upstash for tests: faults to inject, and a clock to move."""

from .errors import BinaryNotFound, LeaseholdError, NotStarted, Refused, ServerGone
from .server import Fault, Server

__all__ = [
    "BinaryNotFound",
    "Fault",
    "LeaseholdError",
    "NotStarted",
    "Refused",
    "Server",
    "ServerGone",
]
