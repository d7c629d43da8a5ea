"""How the tests reach the server that the test in Rust has started, and how they steer it."""

import json
import os
import unittest
import urllib.request

RESP_URL = os.environ["LEASEHOLD_RESP_URL"]
REST_URL = os.environ["LEASEHOLD_REST_URL"]
REST_TOKEN = os.environ["LEASEHOLD_TOKEN"]


def admin(method, path, body=None):
    request = urllib.request.Request(
        os.environ["LEASEHOLD_ADMIN_URL"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + os.environ["LEASEHOLD_ADMIN_TOKEN"]},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def advance(milliseconds):
    """Lets time pass on the server."""
    admin("POST", "/clock", {"advance_ms": milliseconds})


class CleanServer(unittest.TestCase):
    """Begins with an empty server, without faults, whose clock stands still."""

    def setUp(self):
        admin("DELETE", "/faults")
        admin("POST", "/flush")
        admin("POST", "/clock", {"mode": "frozen"})
