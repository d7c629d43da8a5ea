"""Calls of the admin endpoint."""

from __future__ import annotations

import http.client
import json
from typing import Any, Optional
from urllib.parse import urlsplit

from .errors import Refused, ServerGone


class Admin:
    """The endpoint at ``url``. Nothing in the environment, such as a proxy, stands in between."""

    def __init__(self, url: str, token: str) -> None:
        self._address = urlsplit(url).netloc
        self._token = token

    def call(self, method: str, path: str, body: Optional[object] = None) -> Any:
        """What it answers."""
        sent = b"" if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}"}
        connection = http.client.HTTPConnection(self._address)
        try:
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServerGone(f"the server does not answer ({error}): has it ended?") from error
        finally:
            connection.close()
        if status == 200:
            return json.loads(text)
        raise Refused(_sentence(text) or f"{method} {path}: {status}", status)


def _sentence(text: bytes) -> Optional[str]:
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return None
