"""Why a server did not do what it was asked for."""


class LeaseholdError(Exception):
    """Any of the errors below."""


class BinaryNotFound(LeaseholdError):
    """There is no program ``leasehold`` to run."""


class NotStarted(LeaseholdError):
    """The program ended before it listened."""


class ServerGone(LeaseholdError):
    """The server does not answer: it was stopped, or has ended by itself."""


class Refused(LeaseholdError):
    """The server refused, in its own words."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        #: The status of HTTP.
        self.status = status
