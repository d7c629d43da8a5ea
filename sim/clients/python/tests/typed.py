"""Not run: mypy reads it, once with what is wrong and once without."""

from leasehold_test import Fault, Server

with Server(clock="real", seed=2) as server:
    fault: Fault = server.fault("hang next=1")
    effective: int = fault.effective
    rate: float = server.advance(1.5)["rate"]
    keys: list[str] = server.requests()[0]["commands"][0]["keys"]
    snapshot: str = server.snapshot()
    server.advance("soon")  # type: ignore[arg-type]
    server.requests()[0]["value"]  # type: ignore[typeddict-item]
