"""The way out of a site: link, proxy, and whom to trust."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from swath.deploy.site.strict import Strict
from swath.settings import PAGES, PAGES_GIB

CA_MOUNT = "/etc/swath/ca"


class RegionLink(StrEnum):
    """The line to the Region."""

    ALWAYS = "always"
    INTERMITTENT = "intermittent"
    NONE = "none"


class Proxy(Strict):
    """An HTTP proxy. Java ignores HTTPS_PROXY, S3A has keys of its own, Python reads the environment.

    Args:
        url: ``http://host:port`` without a password.
        no_proxy: Hosts and suffixes that are reached directly. The API server and the service range belong in it.
    """

    url: Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.-]+:\d{1,5}$")]
    no_proxy: Annotated[tuple[Annotated[str, Field(pattern=r"^[^\s,|]+$")], ...], Field(min_length=1)]

    @property
    def host(self) -> str:
        """Host name."""
        return self.url.split("://", 1)[1].rsplit(":", 1)[0]

    @property
    def port(self) -> int:
        """Port."""
        return int(self.url.rsplit(":", 1)[1])


class SiteSearch(Strict):
    """What searches may reach.

    Args:
        hosts: Names of hosts that may be asked by a search and for assets over https; ``*.example.com`` names all below a
            domain. Where the list has one, no other host is asked, on redirects and next links neither.
        pages: Most pages of a search's answer.
        gib: Most GiB of all its pages.
    """

    hosts: tuple[Annotated[str, Field(pattern=r"^(\*|(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)$")], ...] = ()
    pages: Annotated[int, Field(ge=1)] = PAGES
    gib: Annotated[float, Field(gt=0)] = PAGES_GIB


class Trust(Strict):
    """A certificate authority of the site's own.

    Args:
        config_map: Kubernetes ConfigMap with ``ca.pem`` (for Python, GDAL, PostgreSQL) and ``truststore.p12`` (for Java).
            It is mounted as a directory, so a new authority arrives in running pods without a restart.
        folder: Folder of the mount, or, for ``spark-submit``, the folder itself.
    """

    config_map: str = ""
    folder: Annotated[str, Field(pattern=r"^/\S+$")] = CA_MOUNT

    @property
    def bundle(self) -> str:
        """PEM bundle."""
        return f"{self.folder}/ca.pem"

    @property
    def truststore(self) -> str:
        """PKCS12 trust store; it holds public certificates only, so it has no password."""
        return f"{self.folder}/truststore.p12"
