"""The program behind a server: found, started, and ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import weakref
from typing import IO, Dict, List, Optional, Tuple

from .errors import BinaryNotFound, NotStarted

#: For how long a server may take to say where it listens; it takes some milliseconds.
PATIENCE_S = 30.0

#: How much of what it prints is told in an error.
TAIL = 16_384

_all: "weakref.WeakSet[Process]" = weakref.WeakSet()


class Process:
    """A running program. It ends with the pipe that it reads from, and that pipe with this process,
    also if this process is killed."""

    def __init__(self, program: Optional[str], arguments: List[str], environment: Dict[str, str]) -> None:
        program, origin = _which(program)
        with tempfile.TemporaryFile() as said:
            try:
                self._popen = subprocess.Popen(
                    [program, *arguments],
                    bufsize=0,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=said,
                )
            except OSError as error:
                raise BinaryNotFound(
                    f"cannot run `{program}` ({error.strerror}); {origin}. Install it by "
                    "`cargo install leasehold`, or set LEASEHOLD_BIN to where it is."
                ) from error
            self.pid: int = self._popen.pid
            _all.add(self)
            try:
                self.addresses: Dict[str, str] = json.loads(self._first_line(program, said))
            except BaseException:
                self.end()
                raise

    def _first_line(self, program: str, said: IO[bytes]) -> bytes:
        assert self._popen.stdout is not None  # it is a pipe
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._popen.kill()

        timer = threading.Timer(PATIENCE_S, give_up)
        timer.daemon = True
        timer.start()
        try:
            line = self._popen.stdout.readline()
        finally:
            timer.cancel()
        if line.endswith(b"\n"):
            return line
        if late.is_set():
            raise NotStarted(f"{program} said nothing within {PATIENCE_S:.0f} s")
        status = self._popen.wait()
        said.seek(0)
        text = said.read(TAIL).decode(errors="replace").strip() or "it said nothing"
        raise NotStarted(f"{program} ended with status {status} before it listened: {text}")

    def end(self) -> None:
        """Ends it, and waits for its end. It keeps nothing, so there is nothing to wait for."""
        self._popen.kill()
        self._close()
        self._popen.wait()

    def _close(self) -> None:
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()


def _which(program: Optional[str]) -> Tuple[str, str]:
    """The program to run, and who says so."""
    if program:
        return program, "the argument `bin` names it"
    named = os.environ.get("LEASEHOLD_BIN")
    if named:
        return named, "LEASEHOLD_BIN names it"
    return "leasehold", "it is looked for in PATH"


def _let_go() -> None:
    """A copy of this process, made by a fork, does not keep servers from ending."""
    for process in list(_all):
        process._close()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_let_go)
