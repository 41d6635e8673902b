"""Who signs addresses of files that need it: plug-ins of ``swath.signers``, ours among them.

An address is signed in the process that reads the file, when it reads it. What was signed is never stored: no table,
no item, no plan has it, and a run that goes on a week later signs anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol

from swath.errors import SwathError
from swath.readers.files.hosts import Hosts

ENTRY_POINTS = "swath.signers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An address with what opens it.

    Args:
        url: Address to request.
        headers: Headers to send, to this host only.
        until: Expiry, in seconds since the epoch; None if it is not stated.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    until: float | None = None


class Signer(Protocol):
    """What an object behind a ``swath.signers`` entry point offers."""

    def recognises(self, url: str, *, hosts: Hosts) -> bool:
        """Whether this signer signs an address; ``hosts`` are those that may be asked for it."""
        ...

    def sign(self, url: str, *, hosts: Hosts) -> Signed:
        """Sign; raise ``swath.errors.ReadError`` when that fails."""
        ...


def signed(url: str, *, hosts: Hosts) -> Signed:
    """An address signed by the first signer that recognises it; as it is when none does.

    Raises:
        ReadError: A signer failed.
        SwathError: A plug-in cannot be loaded.
    """
    for signer in signers().values():
        if signer.recognises(url, hosts=hosts):
            return signer.sign(url, hosts=hosts)
    return Signed(url=url)


@cache
def signers() -> dict[str, Signer]:
    """Signers by name: those of other distributions, then ours.

    Raises:
        SwathError: A signer cannot be loaded.
    """
    # They speak of what is here.
    from swath.readers.files import bearer_signer, sas_signer  # noqa: PLC0415

    found: dict[str, Signer] = {}
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.name):
        try:
            found[point.name] = point.load()
        except (ImportError, AttributeError) as error:
            msg = f"the signer plug-in {point.name} ({point.value}) cannot be loaded: {error}; reinstall or remove it"
            raise SwathError(msg) from error
    return {**found, "sas": sas_signer.SIGNER, "earthdata": bearer_signer.SIGNER}
