"""Which hosts may be asked for something: those that the user named, and none that only a machine's own network knows."""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Self
from urllib.parse import urlsplit

from swath.settings import Settings

#: Hosts of the site (``search.hosts``), with commas between them; where it is set, no other host is asked.
#: Names and addresses of clouds' metadata services that no address family gives away.
_METADATA = frozenset({"metadata.google.internal", "metadata", "fd00:ec2::254", "100.100.100.200"})
_Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Hosts that may be asked.

    Args:
        named: Host names; ``*.example.com`` names all below a domain.
        only: No other may be asked. Otherwise any may, but those of this machine's own link (metadata services).
    """

    named: tuple[str, ...] = ()
    only: bool = False

    @classmethod
    def of_site(cls, *, otherwise: Iterable[str] | None = None) -> Self:
        """The site's list where there is one.

        Args:
            otherwise: Hosts that alone may be asked where the site has no list; None for any.
        """
        listed = Settings.of().hosts
        if listed:
            return cls(named=listed, only=True)
        return cls() if otherwise is None else cls(named=tuple(h.lower() for h in otherwise), only=True)

    def names(self, host: str) -> bool:
        """Whether a host was named, by itself or by its domain."""
        return any(fnmatchcase(host, pattern) for pattern in self.named)

    def refusal(self, url: str) -> str:
        """Why an address may not be asked; ``''`` when it may."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return f"{parts.scheme or 'no scheme'} is neither http nor https"
        host = parts.hostname.rstrip(".")
        if host in self.named:
            return ""
        if self.only and not self.names(host):
            return f"the host {host} was not named"
        if host in _METADATA or any(_of_this_link(a, loopback=self.only) for a in _addresses(host)):
            return f"the host {host} is link-local or loopback, and was not named explicitly"
        return ""


def host_of(url: str) -> str:
    """The host of an address, in small letters; empty where it has none."""
    return (urlsplit(url).hostname or "").rstrip(".")


def _of_this_link(address: _Address, *, loopback: bool) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return _of_this_link(address.ipv4_mapped, loopback=loopback)
    return address.is_link_local or str(address) in _METADATA or (loopback and (address.is_loopback or address.is_unspecified))


def _addresses(host: str) -> list[_Address]:
    """Addresses behind a host; none where this machine cannot tell (behind a proxy)."""
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        return []
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
