from typing import Any

import pytest

from swath.deploy.bundle.named_images import named_images
from swath.deploy.bundle.reference import ImageReference
from swath.errors import ConfigError

_D = "sha256:" + "d" * 64


def _names(*objects: dict[str, Any]) -> set[str]:
    return {str(image) for image in named_images(objects)}


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"containers": [{"image": f"registry.example/a/b@{_D}"}]}, f"registry.example/a/b@{_D}"),
        ({"sidecars": [{"imageName": f"registry.example/only@{_D}"}]}, f"registry.example/only@{_D}"),
        ({"image": "busybox"}, "busybox"),
        ({"args": [f"--executor-image=quay.io/argo/exec:v3.5@{_D}"]}, f"quay.io/argo/exec:v3.5@{_D}"),
        ({"args": ["--default", "localhost:5000/x:1"]}, "localhost:5000/x:1"),
        ({"env": [{"name": "HELPER", "value": f"ghcr.io/helper@{_D}"}]}, f"ghcr.io/helper@{_D}"),
        ({"data": {"config": f'{{"sidecar": "registry.example/side:2@{_D}"}}'}}, f"registry.example/side:2@{_D}"),
        ({"sparkConf": {"spark.kubernetes.container.image": f"r.example:5000/s@{_D}"}}, f"r.example:5000/s@{_D}"),
        ({"image": {"registry": "ghcr.io", "repository": "k/c", "tag": "2.5.2"}}, "ghcr.io/k/c:2.5.2"),
        ({"image": {"repository": "ghcr.io/k/c", "digest": _D}}, f"ghcr.io/k/c@{_D}"),
    ],
)
def test_an_image_is_found_wherever_it_is_named(part: dict[str, Any], expected: str) -> None:
    assert _names({"kind": "Pod", "metadata": {"name": "p"}, "spec": part}) == {expected}


@pytest.mark.parametrize(
    "text",
    [
        "https://s3.example:9000",
        "s3://scenes/incoming",
        "local:///opt/swath/jobs/process.py",
        "s3.example:9000",
        "arn:aws:iam::111122223333:role/swath",
        "swath-postgresql:dsn",
        "10.96.0.0/12",
        "['registry.example/swath@sha256:']",
        "http://alertmanager.monitoring.svc:9093/api/v2/alerts",
        "kustomize.toolkit.fluxcd.io/prune: disabled",
        "spark-operator/flux:x",
    ],
)
def test_other_words_are_no_images(text: str) -> None:
    assert _names({"kind": "Pod", "spec": {"args": [text]}}) == set()


def test_the_kind_of_a_resource_is_not_searched_and_places_are_told() -> None:
    crd = {"kind": "CustomResourceDefinition", "spec": {"description": "such as docker.io/library/x:1"}}
    pod = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"image": "a/b:1"}, {"image": "a/b:1"}]}}
    assert named_images([crd, pod]) == {
        ImageReference("a/b", "1"): ["Pod p: .spec.containers[0].image", "Pod p: .spec.containers[1].image"]
    }


def test_a_field_for_an_image_that_holds_something_else_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"Pod p: \.spec\.image: 'Not An Image' is not the name of an image"):
        named_images([{"kind": "Pod", "metadata": {"name": "p"}, "spec": {"image": "Not An Image"}}])


@pytest.mark.parametrize(
    ("name", "path"),
    [("harbor.dc.example/swath/swath", "swath/swath"), ("localhost:5000/x", "x"), ("library/x", "library/x"), ("x", "x")],
)
def test_an_image_keeps_its_path_in_another_registry(name: str, path: str) -> None:
    assert ImageReference(name).path == path
