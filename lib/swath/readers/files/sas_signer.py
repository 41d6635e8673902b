"""Signs blobs of Azure storage by tokens that a server hands out for a container, as the Planetary Computer does.

The server's address is ``PC_SDK_SAS_URL``, a key for it ``PC_SDK_SUBSCRIPTION_KEY``: the names of Microsoft's own library.
Without the first, the Planetary Computer's server signs, for runs that named it (a search of it does).
"""

import json
import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from swath.errors import ReadError
from swath.readers.files.fetch import Ask, FetchError, answered, read_bounded
from swath.readers.files.hosts import Hosts, host_of
from swath.readers.files.signing import Signed

PLANETARY_COMPUTER: Final = "https://planetarycomputer.microsoft.com/api/sas/v1/token"
_URL, _KEY = "PC_SDK_SAS_URL", "PC_SDK_SUBSCRIPTION_KEY"
_MOST: Final = 1 << 16
#: A token is replaced so long before it ends [s]: a read may take its time.
_BEFORE_S: Final = 300.0
#: A token without an end is good for so long [s].
_UNTOLD_S: Final = 600.0


@dataclass(slots=True)
class SasSigner:
    """Keeps one token a container.

    Args:
        suffix: Hosts that it signs for: the account's name, then this.
    """

    suffix: str = ".blob.core.windows.net"
    _tokens: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict, repr=False)

    def recognises(self, url: str, *, hosts: Hosts) -> bool:
        """A blob without a signature, where the server of tokens may be asked."""
        parts = urlsplit(url)
        blob = host_of(url).endswith(self.suffix) and bool(_container(url)) and "sig=" not in parts.query
        return blob and (_URL in os.environ or hosts.names(host_of(PLANETARY_COMPUTER)))

    def sign(self, url: str, *, hosts: Hosts) -> Signed:
        """The address with the container's token behind it.

        Raises:
            ReadError: The server of tokens does not answer, or gives none.
        """
        place = (host_of(url).partition(".")[0], _container(url))
        token, until = self._tokens.get(place, ("", 0.0))
        if until - _BEFORE_S < time.time():
            token, until = self._tokens[place] = _fetched(place, hosts=hosts)
        parts = urlsplit(url)
        return Signed(url=urlunsplit((*parts[:3], "&".join(q for q in (parts.query, token) if q), "")), until=until - _BEFORE_S)


def _container(url: str) -> str:
    return urlsplit(url).path.lstrip("/").partition("/")[0]


def _fetched(place: tuple[str, str], *, hosts: Hosts) -> tuple[str, float]:
    """A token and when it ends."""
    server = os.environ.get(_URL, PLANETARY_COMPUTER).rstrip("/")
    key = os.environ.get(_KEY)
    # The user named this server, by a variable or among the hosts.
    asked = Hosts(named=(*hosts.named, host_of(server)), only=True)
    headers = {"Ocp-Apim-Subscription-Key": key} if key else {}
    try:
        with answered(Ask(url=f"{server}/{place[0]}/{place[1]}", hosts=asked, headers=headers)) as response:
            answer = json.loads(read_bounded(response, most=_MOST))
        token, end = str(answer["token"]).lstrip("?"), answer.get("msft:expiry")
        return token, datetime.fromisoformat(end).timestamp() if end else time.time() + _UNTOLD_S + _BEFORE_S
    except (FetchError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReadError(
            "a blob could not be signed",
            expected=f"a token of {server} for the container {place[1]} of {place[0]}",
            got=str(error),
            remedy=f"Check {_URL} and {_KEY}.",
        ) from error


#: The entry point.
SIGNER = SasSigner()
