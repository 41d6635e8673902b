from collections.abc import Callable

import pytest
from pydantic import ValidationError

from swath.deploy.pods.template import pod_template
from swath.deploy.site.files import load_site, site_names
from swath.deploy.site.site import Site
from swath.deploy.site.stores import AccessPoint
from swath.errors import ConfigError

Change = Callable[..., Site]


@pytest.mark.parametrize("name", ["aws-region", "outposts-extended", "outposts-local", "eks-anywhere", "kubernetes"])
def test_a_site_without_a_needed_field_is_refused(name: str, change: Change) -> None:
    with pytest.raises(ValidationError, match="needs image"):
        change(name, image="")
    with pytest.raises(ValidationError, match="identity is needed"):
        change(name, identity=None)


def test_emr_needs_its_virtual_cluster(change: Change) -> None:
    with pytest.raises(ValidationError, match=r"needs cluster\.virtual_cluster"):
        change("aws-region", cluster__virtual_cluster="")


def test_a_driver_on_spot_is_refused(change: Change) -> None:
    with pytest.raises(ValidationError, match="loses the whole run"):
        change("aws-region", placement__driver__spot=True)


def test_an_address_without_encryption_is_refused(change: Change) -> None:
    with pytest.raises(ValidationError, match="not encrypted"):
        change("kubernetes", stores__scenes__endpoint="http://s3.example:9000")


def test_s3_on_outposts_is_reached_by_access_point_and_virtual_host(change: Change) -> None:
    with pytest.raises(ValidationError, match="access points only"):
        change("outposts-extended", stores__scenes__access_point="arn:aws:s3:::bucket")
    with pytest.raises(ValidationError, match="virtual-host"):
        change("outposts-extended", stores__scenes__addressing="path")
    with pytest.raises(ValidationError, match="say new-objects"):
        change("outposts-extended", stores__scenes__consistency="strong")


def test_the_access_points_host_is_the_documented_one() -> None:
    arn = "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01ac5d28a6a232904/accesspoint/example-outposts-access-point"
    assert (
        AccessPoint.parse(arn).host
        == "example-outposts-access-point-123456789012.op-01ac5d28a6a232904.s3-outposts.us-west-2.amazonaws.com"
    )


def test_stores_stand_for_addresses() -> None:
    site = load_site("kubernetes")
    assert site.resolve("store://products/ard") == "s3://products/swath/ard"
    assert site.resolve("s3://elsewhere/x") == "s3://elsewhere/x"
    with pytest.raises(ConfigError, match="has no store 'archive'; it has products, scenes"):
        site.resolve("store://archive/x")


def test_the_longest_store_owns_an_address(change: Change) -> None:
    site = change("laptop", stores__inner={"kind": "folder", "uri": "/data/products/inner"})
    found = site.store_of("/data/products/inner/x")
    assert found is not None
    assert found[0] == "inner"
    assert site.store_of("/data/productsx") is None


def test_site_names_are_those_of_the_files() -> None:
    assert all(load_site(name).site == name for name in site_names())


@pytest.mark.parametrize(
    "to",
    ["https://metrics.example.org/in", "http://x", "metrics.example.org", "outbox", "./x", "s3:/b", "S3://b/x", "gs://b", "::"],
)
def test_a_border_that_leads_nowhere_is_refused(to: str, change: Change) -> None:
    with pytest.raises(ValidationError, match=r"border\.to\n.*is not a place for files. Write store://"):
        change("outposts-local", border={"allow": ["metrics"], "to": to})


def test_a_border_may_lead_into_a_store_of_the_site_and_no_other(change: Change) -> None:
    for to in ("store://products/outbox", "s3://example-outbox/x", "/mnt/outbox", "file:///mnt/outbox"):
        assert change("outposts-local", border={"allow": ["metrics"], "to": to}).border.to == to
    with pytest.raises(
        ValidationError, match=r"border\.to store://outbox/x: the site has no such store; it has products, scenes"
    ):
        change("outposts-local", border={"allow": ["metrics"], "to": "store://outbox/x"})


@pytest.mark.parametrize("namespace", ["AWS/EMR", "aws/emr", ":x", "", "n" * 256, "a*b", "ä"])
def test_a_namespace_that_cloudwatch_refuses_is_refused(namespace: str, change: Change) -> None:
    with pytest.raises(ValidationError, match=r"metrics\.namespace"):
        change("aws-region", metrics={"namespace": namespace})


@pytest.mark.parametrize("namespace", ["swath", "My Org/swath:x", "n" * 255])
def test_other_namespaces_are_taken(namespace: str, change: Change) -> None:
    assert change("aws-region", metrics={"namespace": namespace}).metrics.namespace == namespace


@pytest.mark.parametrize("more", [{"profile": "rack"}, {"requester_pays": True}])
def test_nobody_asks_or_pays_at_a_public_store(more: dict[str, object], change: Change) -> None:
    public = {"kind": "s3", "uri": "s3://landsat-public", "region": "us-west-2", "anonymous": True}
    assert change("aws-region", stores__scenes=public).stores["scenes"].anonymous
    with pytest.raises(ValidationError, match="requests are not signed there"):
        change("aws-region", stores__scenes={**public, **more})


def test_executors_get_the_time_that_their_nodes_leave_them(change: Change) -> None:
    def grace(site: Site) -> object:
        return pod_template(site, role="executor")["spec"]["terminationGracePeriodSeconds"]

    assert grace(change("kubernetes", placement__executor__spot=True)) == 110
    assert grace(change("kubernetes", placement={})) == 120
    assert grace(change("kubernetes", placement__executor__grace_s=300)) == 300
    with pytest.raises(ValidationError, match="gone 120 s after its notice; write 110 at most"):
        change("kubernetes", placement__executor={"spot": True, "grace_s": 300})
