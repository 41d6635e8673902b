import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.deploy.site.no_proxy import goes_direct, java_patterns


@pytest.mark.parametrize(
    ("host", "direct"),
    [
        ("kubernetes.default.svc", True),
        ("s3.dc.example", True),
        ("dc.example", True),
        ("evil-dc.example", False),
        ("10.100.3.4", True),
        ("8.8.8.8", False),
    ],
)
def test_the_list_is_read_as_curl_reads_it(host: str, direct: bool) -> None:  # noqa: FBT001 - a table
    assert goes_direct(host, no_proxy=[".svc", ".dc.example", "10.96.0.0/12"]) is direct


def _java_matches(host: str, patterns: str) -> bool:
    """As sun.net.spi.DefaultProxySelector: a star at either end only, separated by bars."""
    return any(
        host.endswith(p[1:]) if p.startswith("*") else host.startswith(p[:-1]) if p.endswith("*") else host == p
        for p in patterns.split("|")
    )


@given(st.ip_addresses(v=4), st.integers(8, 32), st.integers(0, 2**32 - 1))
def test_java_patterns_say_the_same_as_the_range(base: ipaddress.IPv4Address, length: int, other: int) -> None:
    network = ipaddress.ip_network(f"{base}/{length}", strict=False)
    patterns = java_patterns([str(network)])
    inside = network.network_address + other % network.num_addresses
    outside = ipaddress.ip_address(other)
    assert _java_matches(str(inside), patterns)
    assert _java_matches(str(outside), patterns) == (outside in network)


def test_java_patterns_of_names() -> None:
    assert (
        java_patterns([".svc", "localhost", "127.0.0.1", "a.example"])
        == "*.svc|localhost|*.localhost|127.0.0.1|a.example|*.a.example"
    )
