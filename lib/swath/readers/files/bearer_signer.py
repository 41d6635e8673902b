"""Opens files with a bearer token, as NASA's Earthdata wants it.

The token is in ``EARTHDATA_TOKEN``. Without one, the line of Earthdata's login server in ``.netrc`` is used by who asks.
"""

import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from swath.errors import ReadError
from swath.readers.files.hosts import Hosts, host_of
from swath.readers.files.signing import Signed

#: NASA's archives in the cloud, their login server, and USGS's distribution of their data.
EARTHDATA: Final = ("*.earthdata.nasa.gov", "*.earthdatacloud.nasa.gov")


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerSigner:
    """Sends one token to some hosts, and to no other.

    Args:
        variable: Environment variable with the token.
        hosts: Patterns of host names.
    """

    variable: str
    hosts: tuple[str, ...]

    def recognises(self, url: str, *, hosts: Hosts) -> bool:
        """One of its hosts, where there is a token."""
        del hosts
        return bool(os.environ.get(self.variable)) and any(fnmatchcase(host_of(url), pattern) for pattern in self.hosts)

    def sign(self, url: str, *, hosts: Hosts) -> Signed:
        """The address, and the header for it.

        Raises:
            ReadError: The token would break the header.
        """
        del hosts
        token = os.environ[self.variable].strip()
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ReadError(
                "a token cannot be sent", expected="printable letters without blanks", got=f"others in {self.variable}",
                remedy="Copy the token again.",
            )  # fmt: skip
        return Signed(url=url, headers={"Authorization": f"Bearer {token}"})


#: The entry point.
SIGNER = BearerSigner(variable="EARTHDATA_TOKEN", hosts=EARTHDATA)
