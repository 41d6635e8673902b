"""The exceptions of a proxy, in the two dialects that matter: Python's and curl's list, and Java's patterns."""

import ipaddress
from collections.abc import Iterable, Iterator

_BITS = 8


def goes_direct(host: str, *, no_proxy: Iterable[str]) -> bool:
    """Whether ``host`` is reached without the proxy, as Python and curl decide: equal, or below a suffix."""
    return any(_matches(host, pattern) for pattern in no_proxy)


def _matches(host: str, pattern: str) -> bool:
    if "/" in pattern:
        try:
            return ipaddress.ip_address(host) in ipaddress.ip_network(pattern, strict=False)
        except ValueError:
            return False
    bare = pattern.removeprefix("*").removeprefix(".")
    return host == bare or host.endswith(f".{bare}")


def java_patterns(no_proxy: Iterable[str]) -> str:
    """The same list for ``http.nonProxyHosts``: separated by ``|``, with ``*`` at the ends.

    Java knows no address ranges: a range becomes its whole-byte prefixes (10.100.0.0/15 is 10.100.* and 10.101.*).
    """
    return "|".join(dict.fromkeys(p for pattern in no_proxy for p in _java(pattern)))


def _java(pattern: str) -> Iterator[str]:
    if "/" in pattern:
        yield from _prefixes(pattern)
        return
    bare = pattern.removeprefix("*").removeprefix(".")
    if bare == pattern:
        yield bare
    if not bare.replace(".", "").isdigit():
        yield f"*.{bare}"


def _prefixes(pattern: str) -> Iterator[str]:
    network = ipaddress.ip_network(pattern, strict=False)
    if network.version != 4:
        return
    whole = -(-network.prefixlen // _BITS) * _BITS
    for part in network.subnets(new_prefix=max(whole, _BITS)):
        octets = str(part.network_address).split(".")[: max(whole, _BITS) // _BITS]
        yield ".".join(octets) if len(octets) == 4 else ".".join([*octets, "*"])
