"""Bundles: made of a delivery, checked, pushed, compared and installed; and everything that may be wrong with one."""

import dataclasses
import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.deploy.bundles import checkout, key_pair, put, registry, small_image

from swath.cli.bundle import bundle_group
from swath.deploy.bundle.content import LIST, BundleContent
from swath.deploy.bundle.image_layout import blob
from swath.errors import ConfigError
from swath.inference.signed_file import sign_file

pytestmark = [pytest.mark.tools, pytest.mark.timeout(300)]
OPERATOR = "ghcr.io/kubeflow/spark-operator/controller"


@dataclasses.dataclass(frozen=True, slots=True)
class Maker:
    """A registry with the delivery's images, a checkout, keys: what `bundle make` starts from."""

    home: Path
    root: Path
    registry: str
    image: str
    operator: str
    private: Path
    public: Path

    def words(self, out: Path, *more: str) -> list[str]:
        site = self.root / "conf" / "sites" / "kubernetes.yaml"
        return [
            *("make", "--site", str(site), "--job", str(self.root / "conf/jobs/ard.yaml"), "--root", str(self.root)),
            *("--out", str(out), "--sign-key", str(self.private), "--jars", str(self.root / "jars")),
            *("--wheels", str(self.root / "wheels"), "--objects", str(self.home / "operator.yaml")),
            *("--chart", str(self.home / "spark-operator-2.5.2.tgz")),
            *("--from", f"registry.example/={self.registry}/", "--from", f"ghcr.io/={self.registry}/", *more),
        ]


def _run(*words: str) -> Result:
    return CliRunner().invoke(bundle_group, list(words))


def _refused(*words: str) -> str:
    done = _run(*words)
    assert isinstance(done.exception, ConfigError), done.output
    return str(done.exception)


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Maker]:
    home = tmp_path_factory.mktemp("maker")
    image = small_image(home / "swath", text="swath", shared=b"s" * 50_000)
    operator = small_image(home / "operator", text="operator", docker=True)
    with registry(home / "registry") as address:
        put(home / "swath", f"{address}/swath")
        put(home / "operator", f"{address}/kubeflow/spark-operator/controller")
        labels = {"helm.sh/chart": "spark-operator-2.5.2"}
        deployment = {
            "kind": "Deployment",
            "metadata": {"name": "controller", "labels": labels},
            "spec": {"template": {"spec": {"containers": [{"image": f"{OPERATOR}:2.5.2@{operator}"}]}}},
        }
        crd = {"kind": "CustomResourceDefinition", "metadata": {"name": "sparkapplications.sparkoperator.k8s.io"}}
        (home / "operator.yaml").write_text(json.dumps(deployment) + "\n---\n" + json.dumps(crd), encoding="utf-8")
        (home / "spark-operator-2.5.2.tgz").write_bytes(b"a chart")
        root = checkout(home / "checkout", image=image)
        private, public = key_pair(home)
        yield Maker(home, root, address, image, operator, private, public)


@pytest.fixture(scope="module")
def made(maker: Maker) -> Path:
    out = maker.home / "bundle"
    done = _run(*maker.words(out))
    assert done.exception is None, (done.output, done.exception)
    return out


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "bundle")
    return tmp_path / "bundle"


def _signed_anew(maker: Maker, bundle: Path, **changes: object) -> None:
    content = dataclasses.replace(BundleContent.read(bundle), **changes)  # type: ignore[arg-type]
    (bundle / LIST).write_text(content.text(), encoding="utf-8")
    sign_file(bundle / LIST, key=maker.private)


def test_a_bundle_holds_every_image_and_everything_else_with_its_source(maker: Maker, made: Path) -> None:
    content = BundleContent.read(made)
    assert {(i.name, i.digest) for i in content.images} == {("registry.example/swath", maker.image), (OPERATOR, maker.operator)}
    folders = {f.path.partition("/")[0] for f in content.files}
    assert folders == {*("images", "charts", "crds", "wheels", "swath", "jars", "objects", "guides", "proj", "delivery")}
    assert all(f.source for f in content.files if f.path.partition("/")[0] != "swath")
    assert content.left_out == tuple(
        f"{n}: none was given ({o})" for n, o in (("models", "--model"), ("sbom", "--sbom"), ("stac-schemas", "--schemas"))
    )
    checked = _run("verify", str(made), "--key", str(maker.public))
    assert "as it was signed, for site kubernetes: 2 images" in checked.output


def test_a_sidecar_with_an_image_name_alone_is_carried_and_its_absence_ends_the_making(maker: Maker, tmp_path: Path) -> None:
    """The site would notice it at the first start of a pod."""
    sidecar = small_image(tmp_path / "sidecar", text="sidecar")
    config = {"kind": "Sidecar", "metadata": {"name": "proxy"}, "spec": {"imageName": f"registry.example/sidecar@{sidecar}"}}
    objects = tmp_path / "sidecar.yaml"
    objects.write_text(json.dumps(config), encoding="utf-8")
    out = tmp_path / "bundle"
    told = _refused(*maker.words(out, "--objects", str(objects)))
    assert f"registry.example/sidecar@{sidecar}, named by Sidecar proxy: .spec.imageName, is missing" in told
    assert not out.exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
    put(tmp_path / "sidecar", f"{maker.registry}/sidecar")
    assert _run(*maker.words(out, "--objects", str(objects))).exception is None
    assert "registry.example/sidecar" in {i.name for i in BundleContent.read(out).images}


def test_a_tag_without_a_digest_is_refused_until_it_is_pinned(maker: Maker, tmp_path: Path) -> None:
    objects, pins = tmp_path / "pod.yaml", tmp_path / "pins.yaml"
    objects.write_text(json.dumps({"kind": "Pod", "metadata": {"name": "p"}, "spec": {"image": f"{OPERATOR}:2.5.2"}}))
    words = maker.words(tmp_path / "bundle", "--objects", str(objects))
    assert f"{OPERATOR}:2.5.2: named by Pod p: .spec.image without a digest" in _refused(*words)
    pins.write_text(f"{OPERATOR}:2.5.2: {maker.operator}\n", encoding="utf-8")
    assert _run(*words, "--pins", str(pins)).exception is None


def test_an_image_for_another_architecture_is_refused_by_name(maker: Maker, tmp_path: Path) -> None:
    digest = small_image(tmp_path / "arm", text="arm", architecture="arm64")
    put(tmp_path / "arm", f"{maker.registry}/arm")
    told = _refused(*maker.words(tmp_path / "bundle", "--image", f"{maker.registry}/arm@{digest}"))
    assert f"/arm@{digest} is for linux/arm64, the site needs linux/amd64 (named by --image)" in told


def test_a_chart_is_carried_with_its_objects_or_not_at_all(maker: Maker, tmp_path: Path) -> None:
    words = maker.words(tmp_path / "bundle")
    without = [w for n, w in enumerate(words) if "--chart" not in {w, words[n - 1]}]
    assert "HelmRelease spark-operator fetches chart spark-operator-2.5.2: carry it" in _refused(*without)
    without = [w for n, w in enumerate(words) if "--objects" not in {w, words[n - 1]}]
    assert "the images in chart spark-operator-2.5.2 are known from its objects only" in _refused(*without)


def test_packages_are_those_of_the_lock(maker: Maker, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    shutil.copytree(maker.root / "wheels", wheels)
    (wheels / "other-1.0-py3-none-any.whl").write_bytes(b"other")
    words = [str(wheels) if w == str(maker.root / "wheels") else w for w in maker.words(tmp_path / "bundle")]
    assert "other-1.0-py3-none-any.whl: no file of requirements.lock, by its SHA-256" in _refused(*words)
    for path in wheels.iterdir():
        path.unlink()
    assert "carried: requirements.lock lists it, but its file is missing here" in _refused(*words)


def _flip(bundle: Path) -> None:
    path = bundle / "wheels" / "carried-1.0-py3-none-any.whl"
    content = bytearray(path.read_bytes())
    content[7] ^= 1
    path.write_bytes(content)


def _cut(bundle: Path) -> None:
    path = max((bundle / "images" / "blobs" / "sha256").iterdir(), key=lambda p: p.stat().st_size)
    os.truncate(path, path.stat().st_size // 2)


def _remove(bundle: Path) -> None:
    (bundle / "jars" / "one.jar").unlink()


def _add(bundle: Path) -> None:
    (bundle / "jars" / "two.jar").write_bytes(b"two")


def _link(bundle: Path) -> None:
    (bundle / "jars" / "one.jar").unlink()
    (bundle / "jars" / "one.jar").symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_flip, r"wheels/carried-1\.0-py3-none-any\.whl: SHA-256 .* it was altered"),
        (_cut, r"images/blobs/sha256/\w+: \d+ bytes, bundle\.json says \d+: it is cut"),
        (_remove, r"jars/one\.jar is missing"),
        (_add, r"jars/two\.jar is not in bundle\.json: a file too many"),
        (_link, r"jars/one\.jar is a link or a device"),
    ],
)
def test_a_damaged_bundle_is_told_by_the_files_name_and_nothing_is_installed(
    maker: Maker, copied: Path, tmp_path: Path, damage: Callable[[Path], None], told: str
) -> None:
    damage(copied)
    assert re.search(told, _refused("verify", str(copied), "--key", str(maker.public)))
    assert re.search(told, _refused("install", str(copied), "--key", str(maker.public), "--to", str(tmp_path / "site")))
    assert not (tmp_path / "site").exists()


def test_a_list_of_another_key_or_with_a_path_that_leads_out_is_refused(maker: Maker, copied: Path, tmp_path: Path) -> None:
    _, other = key_pair(tmp_path, "other")
    assert "the trusted keys are" in _refused("verify", str(copied), "--key", str(other))
    text = (copied / LIST).read_text(encoding="utf-8")
    (copied / LIST).write_text(text.replace('"jars/one.jar"', '"jars/../../one.jar"'), encoding="utf-8")
    assert "these are not the files that were signed" in _refused("verify", str(copied), "--key", str(maker.public))
    sign_file(copied / LIST, key=maker.private)
    told = _refused("verify", str(copied), "--key", str(maker.public))
    assert "bundle.json: 'jars/../../one.jar' is not a path inside the bundle" in told


def test_a_push_is_by_digest_and_goes_on_where_it_was(maker: Maker, made: Path, tmp_path: Path) -> None:
    """Docker's manifests too keep their digest."""
    words = ("push", str(made), "--key", str(maker.public), "--registry")
    with registry(tmp_path / "registry") as address:
        port = int(address.rpartition(":")[2])
        put(maker.home / "operator", f"{address}/mirror/kubeflow/spark-operator/controller")
        done = _run(*words, f"{address}/mirror")
        assert done.exception is None, (done.output, done.exception)
        assert f"controller@{maker.operator} was there" in done.output
        assert f"{address}/mirror/swath@{maker.image} pushed" in done.output
    with registry(tmp_path / "registry", port=port):
        assert "pushed" not in _run(*words, f"{address}/mirror").output
        pulled = ["skopeo", "copy", "-q", "--src-tls-verify=false", f"docker://{address}/mirror/swath@{maker.image}"]
        subprocess.run([*pulled, f"dir:{tmp_path / 'pulled'}"], check=True)
    assert (tmp_path / "pulled" / "manifest.json").read_bytes() == blob(made, maker.image).read_bytes()
    assert "cannot be copied" in str(_run(*words, f"{address}/mirror").exception)


def test_a_delta_holds_what_is_new_and_installs_upon_what_is_there(maker: Maker, made: Path, tmp_path: Path) -> None:
    newer, delta, site = tmp_path / "newer", tmp_path / "delta", tmp_path / "site"
    shutil.copytree(made, newer)
    chart = newer / "charts" / "spark-operator-2.5.2.tgz"
    chart.write_bytes(b"a newer chart")
    files = tuple(
        dataclasses.replace(f, size=13, sha256=_sha256(chart)) if f.path.endswith(".tgz") else f
        for f in BundleContent.read(newer).files
    )
    _signed_anew(maker, newer, files=files, made="2100-01-01T00:00:00Z")
    key = ("--key", str(maker.public))
    told = _run("diff", str(made), str(newer), *key, "--out", str(delta))
    assert "changed  charts/spark-operator-2.5.2.tgz (13 B)" in told.output
    assert sorted(p.name for p in delta.rglob("*") if p.is_file()) == [LIST, f"{LIST}.sig", "spark-operator-2.5.2.tgz"]
    assert "is missing" in _refused("install", str(delta), *key, "--to", str(site))
    assert _run("install", str(made), *key, "--to", str(site)).exception is None
    would = _run("install", str(delta), *key, "--to", str(site), "--dry-run")
    assert "would install" in would.output
    assert (site / "current" / "charts" / chart.name).read_bytes() == b"a chart"
    assert _run("install", str(delta), *key, "--to", str(site)).exception is None
    assert (site / "current" / "charts" / chart.name).read_bytes() == b"a newer chart"
    assert _run("verify", str(site / "current"), *key).exception is None
    assert "a delta; install it" in _refused("push", str(delta), *key, "--base", str(made), "--registry", "localhost:1")
    older = _refused("install", str(made), *key, "--to", str(site))
    assert "what is installed" in older
    assert "--downgrade" in older
    assert _run("install", str(made), *key, "--to", str(site), "--downgrade").exception is None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_full_disk_is_told_with_the_files_name_and_what_counted_counts_still(maker: Maker, made: Path, tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=2m none "$1" && shift && exec "$@"'
    place = tmp_path / "small"
    place.mkdir()
    command = [sys.executable, "-m", "swath.cli", "bundle", "install", str(made), "--key", str(maker.public), "--to", str(place)]
    look = f"{' '.join(command)}; code=$?; ls -A {place}; exit $code"
    words = ["unshare", "-rm", "sh", "-c", script, "sh", str(place), "sh", "-c", look]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip(f"no file system of its own can be mounted here: {done.stderr.strip()}")
    assert done.returncode == 2, done.stderr
    assert "cannot be installed: No space left on device; nothing was installed" in done.stderr
    assert done.stdout == ""


def test_a_gigabyte_is_checked_in_one_pass_and_constant_memory(maker: Maker, copied: Path) -> None:
    content = BundleContent.read(copied)
    big = copied / "models" / "big.tar"
    big.parent.mkdir()
    with big.open("wb") as file:
        for number in range(256):
            file.write(bytes([number]) * (4 << 20))
    digest = subprocess.run(["sha256sum", str(big)], capture_output=True, text=True, check=True).stdout.split()[0]  # noqa: S607
    carried = dataclasses.replace(content.files[0], path="models/big.tar", size=1 << 30, sha256=digest)
    _signed_anew(maker, copied, files=(*content.files, carried))
    began = time.process_time()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert _run("verify", str(copied), "--key", str(maker.public)).exception is None
    assert time.process_time() - began < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10
