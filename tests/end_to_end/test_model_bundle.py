"""Bundles and signatures: a model made at one site is the very same at another, or it is refused by name."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tiny_model import RECIPE, key_pair, samples
from tests.tiny_model import swath_models as swath

from swath.errors import ConfigError
from swath.inference.admission import admit
from swath.inference.digest import model_digest
from swath.inference.registry import Registry
from swath.inference.signature import sign, verify
from swath.inference.trusted_keys import keys_of
from swath.training.draw import Drawn
from swath.training.train import train


@pytest.fixture(autouse=True)
def _own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    for name in [n for n in os.environ if n.startswith(("MLFLOW_TRACKING", "SWATH_MODEL"))]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site that trains: two versions, two key pairs, a bundle of each version."""
    home = tmp_path_factory.mktemp("region")
    registry = Registry.beside(home, uri=f"sqlite:///{home / 'models' / 'mlflow.db'}")
    for seed in (0, 1):
        drawn = Drawn(samples=samples({"low": 0.1, "high": 0.4}, seed=seed), refused={})
        train(drawn, recipe=RECIPE, registry=registry, alias="production")
    for name in ("ours", "other"):
        key_pair(home, name)
    for version in (1, 2):
        words = (
            "export",
            f"tiny/{version}",
            "--bundle",
            home / f"{version}.tar",
            "--sign-key",
            home / "ours.pem",
            "--output",
            home,
        )
        swath(*words)
    return home


@pytest.fixture
def unpacked(region: Path, tmp_path: Path) -> Path:
    with tarfile.open(region / "2.tar") as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    return tmp_path / "unpacked"


def packed(folder: Path, target: Path) -> Path:
    """The folder as a tar, the signature first."""
    with tarfile.open(target, "w") as tar:
        for path in sorted(folder.rglob("*"), key=lambda p: (p.name != "bundle.sig", p)):
            tar.add(path, path.relative_to(folder).as_posix(), recursive=False)
    return target


def digest_of(region: Path, version: int) -> str:
    found = next(m for m in json.loads(swath("list", "--json", "--output", region)) if m["version"] == str(version))
    return str(found["digest"])


def test_a_bundle_becomes_the_same_digest_in_a_second_registry_with_its_source(region: Path, tmp_path: Path) -> None:
    words = ("import", "--bundle", region / "2.tar", "--key", region / "ours.pub", "--alias", "production", "--output", tmp_path)
    digest = digest_of(region, 2)
    assert swath(*words) == f"tiny 1 (production): sha256 {digest}\n"
    assert swath(*words) == f"tiny 1 (production): sha256 {digest}\n"
    registry = Registry.beside(tmp_path)
    (made,) = registry.list("tiny")
    assert (made.source_name, made.source_version) == ("tiny", "2")
    assert made.source.startswith("sqlite:///")
    assert registry.resolve("tiny@production").digest == digest


def test_a_site_that_demands_signatures_takes_the_imported_model_and_not_an_unsigned_one(
    region: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swath("import", "--bundle", region / "2.tar", "--key", region / "ours.pub", "--output", tmp_path)
    monkeypatch.setenv("SWATH_MODEL_DEMANDS", "signature")
    with pytest.raises(ConfigError, match="SWATH_MODEL_KEYS names no key that is trusted"):
        Registry.beside(tmp_path).resolve("tiny/1")
    monkeypatch.setenv("SWATH_MODEL_KEYS", str(region / "ours.pub"))
    pinned = Registry.beside(tmp_path).resolve("tiny/1")
    (hint,) = (k.hint for k in keys_of(str(region / "ours.pub")))
    assert pinned.signed_by == hint
    assert pinned.notes == (f"signed by key {hint}",)
    with pytest.raises(ConfigError, match="tiny/1: signature: it is not signed"):
        Registry.beside(region).resolve("tiny/1")
    monkeypatch.setenv("SWATH_MODEL_KEYS", str(region / "other.pub"))
    with pytest.raises(ConfigError, match=rf"tiny/1: signature: signed by key {hint[:12]}, the trusted keys are"):
        Registry.beside(tmp_path).resolve("tiny/1")


def test_a_store_keeps_the_signature_beside_the_digest(region: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store"
    swath("export", "tiny/1", "--to", store, "--sign-key", region / "ours.pem", "--output", region)
    assert (store / f"{digest_of(region, 1)}.sig").is_file()
    monkeypatch.setenv("SWATH_MODEL_DEMANDS", "signature")
    monkeypatch.setenv("SWATH_MODEL_KEYS", str(region / "ours.pub"))
    monkeypatch.setenv("SWATH_MODELS", str(store))
    assert Registry.beside(tmp_path / "site").resolve("tiny/1").signed_by
    (store / f"{digest_of(region, 1)}.sig").unlink()
    with pytest.raises(ConfigError, match="tiny/1: signature: it is not signed"):
        Registry.beside(tmp_path / "other").resolve("tiny/1")


def test_the_plain_command_verifies_ours_and_we_verify_its(region: Path, unpacked: Path, tmp_path: Path) -> None:
    def command(*words: object) -> subprocess.CompletedProcess[str]:
        given = [sys.executable, "-m", "model_signing", *map(str, words)]
        return subprocess.run(given, capture_output=True, text=True, check=False)

    content = unpacked / "content"
    ours = ("verify", "key", "--signature", content / "model.sig", "--public_key")
    assert command(*ours, region / "ours.pub", content / "model").returncode == 0
    assert command(*ours, region / "other.pub", content / "model").returncode != 0
    (content / "model" / "card.md").write_text("other")
    assert command(*ours, region / "ours.pub", content / "model").returncode != 0
    theirs = tmp_path / "theirs.sig"
    words = ("sign", "key", "--private_key", region / "other.pem", "--signature", theirs, content / "model")
    assert command(*words).returncode == 0
    assert verify(content / "model", signature=theirs, keys=keys_of(str(region / "other.pub")))


def test_the_same_model_gives_the_same_bytes_but_for_the_signatures(region: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.tar"
    swath("export", "tiny/2", "--bundle", again, "--sign-key", region / "ours.pem", "--output", region)

    def contents(path: Path) -> dict[str, bytes]:
        with tarfile.open(path) as tar:
            assert tar.next() is not None
            return {m.name: tar.extractfile(m).read() for m in tar.getmembers() if not m.name.endswith(".sig")}  # type: ignore[union-attr]

    assert contents(again) == contents(region / "2.tar")
    with tarfile.open(again) as tar:
        first = tar.getmembers()[0]
        assert (first.name, {(m.mtime, m.uid, m.gid, m.mode) for m in tar.getmembers()}) == ("bundle.sig", {(0, 0, 0, 0o644)})


def test_the_records_tell_source_data_and_files(region: Path, unpacked: Path) -> None:
    lineage = json.loads((unpacked / "content" / "lineage.json").read_text())
    assert (lineage["source"]["name"], lineage["source"]["version"], len(lineage["source"]["run_id"])) == ("tiny", "2", 32)
    assert len(lineage["training"]["samples_sha256"]) == 64
    bill = json.loads((unpacked / "content" / "sbom.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["type"] == "machine-learning-model"
    assert {c["name"] for c in bill["components"]} >= {
        "forest.npz",
        "manifest.json",
        "card.md",
        "reference.npz",
        "training samples",
    }


def _altered(folder: Path, _: Path) -> None:
    (folder / "content" / "model" / "card.md").write_text("other")


def _added(folder: Path, _: Path) -> None:
    (folder / "content" / "model" / "evil.py").write_text("import os")


def _missing(folder: Path, _: Path) -> None:
    (folder / "content" / "lineage.json").unlink()


def _promoted(folder: Path, _: Path) -> None:
    """A record beside the model that claims another version."""
    path = folder / "content" / "bundle.json"
    path.write_text(path.read_text().replace('"version": "2"', '"version": "9"'))


def _unsigned(folder: Path, _: Path) -> None:
    (folder / "bundle.sig").unlink()


def _of_another(folder: Path, region: Path) -> None:
    with tarfile.open(region / "1.tar") as tar:
        (folder / "bundle.sig").write_bytes(tar.extractfile("bundle.sig").read())  # type: ignore[union-attr]


def _forged(folder: Path, _: Path) -> None:
    """The hint of our key over the statement of another one."""
    plain = json.loads((folder / "bundle.sig").read_text())
    hint = plain["verificationMaterial"]["publicKey"]["hint"]
    (folder / "content" / "model" / "card.md").write_text("other")
    private, _public = key_pair(folder.parent, "forger")
    sign(folder / "content", key=private, signature=folder / "bundle.sig")
    forged = json.loads((folder / "bundle.sig").read_text())
    forged["verificationMaterial"]["publicKey"]["hint"] = hint
    (folder / "bundle.sig").write_text(json.dumps(forged))


def _wrong_key(folder: Path, region: Path) -> None:
    sign(folder / "content", key=region / "other.pem", signature=folder / "bundle.sig")


@pytest.mark.parametrize("form", ["tar", "folder"])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_altered, r"not the files that were signed \(changed: model/card\.md\)"),
        (_added, r"\(added: model/evil\.py\)"),
        (_missing, r"\(missing: lineage\.json\)"),
        (_promoted, r"\(changed: bundle\.json\)"),
        (_unsigned, r"it is not signed: there is no bundle\.sig"),
        (_of_another, "does not hold"),
        (_forged, "was not made by key .*, which it names"),
        (_wrong_key, "signed by key .*, the trusted keys are .*; nothing was unpacked"),
    ],
)
def test_what_was_not_signed_as_it_is_does_not_come_in(
    region: Path, unpacked: Path, tmp_path: Path, spoil: Callable[[Path, Path], None], said: str, form: str
) -> None:
    spoil(unpacked, region)
    place = packed(unpacked, tmp_path / "spoilt.tar") if form == "tar" else unpacked
    with pytest.raises(ConfigError, match=rf"{place}: .*{said}"):
        swath("import", "--bundle", place, "--key", region / "ours.pub", "--output", tmp_path)
    assert not (tmp_path / "models" / "mlflow.db").exists()


def test_an_older_version_does_not_replace_a_newer_one_unless_asked(region: Path, tmp_path: Path) -> None:
    words = ("--key", region / "ours.pub", "--output", tmp_path)
    swath("import", "--bundle", region / "2.tar", *words)
    with pytest.raises(ConfigError, match=r"tiny: the bundle has version 1 of sqlite:.*, version 2 is here; --downgrade"):
        swath("import", "--bundle", region / "1.tar", *words)
    assert swath("import", "--bundle", region / "1.tar", "--downgrade", *words) == f"tiny 2: sha256 {digest_of(region, 1)}\n"


def test_keys_are_trusted_for_their_time(region: Path, tmp_path: Path) -> None:
    listed = tmp_path / "keys.yaml"
    words = ("import", "--bundle", region / "2.tar", "--key", listed, "--output", tmp_path)
    listed.write_text(f"- {{key: {region / 'ours.pub'}, from: 2020-01-01, until: 2021-01-01}}\n")
    with pytest.raises(ConfigError, match=r"signed by key .*, which is not trusted any more since 2021-01-01"):
        swath(*words)
    listed.write_text(f"- {{key: {region / 'ours.pub'}, from: 2999-01-01}}\n")
    with pytest.raises(ConfigError, match=r"signed by key .*, which is trusted from 2999-01-01 on"):
        swath(*words)
    listed.write_text(f"- {{key: {region / 'ours.pub'}, until: soon}}\n")
    with pytest.raises(ConfigError, match=r"keys\.yaml: .*until must be a date like 2027-01-31, got 'soon'"):
        swath(*words)
    shutil.copy(region / "ours.pub", tmp_path)
    listed.write_text(
        f"- {{key: {region / 'other.pub'}, until: 2021-01-01}}\n- {{key: ours.pub, from: 2020-01-01, until: 2999-01-01}}\n"
    )
    assert digest_of(region, 2) in swath(*words)


def test_a_signature_that_leaves_files_out_proves_nothing_of_them(region: Path, unpacked: Path) -> None:
    """The plain command can sign a folder without some of its files, and says so in the statement."""
    model, aside = unpacked / "content" / "model", unpacked / "partial.sig"
    words = [
        "sign",
        "key",
        "--private_key",
        region / "ours.pem",
        "--signature",
        aside,
        "--ignore-paths",
        model / "forest.npz",
        model,
    ]
    subprocess.run([sys.executable, "-m", "model_signing", *map(str, words)], check=True, capture_output=True)
    with pytest.raises(ConfigError, match=r"partial\.sig does not cover every file \(added: forest\.npz\)"):
        verify(model, signature=aside, keys=keys_of(str(region / "ours.pub")))


def _tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def _member(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/passwd"
    return member


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (_member("content/../../evil"), "has a path that leads out of the folder"),
        (_member("/tmp/evil"), "has a path that leads out of the folder"),
        (_member("content/a/b/c/d/e"), "is too deep"),
        (_member("content/link", tarfile.SYMTYPE), "is a link, a device or a sparse file"),
        (_member("content/hard", tarfile.LNKTYPE), "is a link, a device or a sparse file"),
        (_member("content/null", tarfile.CHRTYPE), "is a link, a device or a sparse file"),
        (_member("bundle.sig"), "is listed twice"),
    ],
)
def test_a_tar_that_would_leave_its_folder_is_refused(region: Path, tmp_path: Path, member: tarfile.TarInfo, said: str) -> None:
    with tarfile.open(region / "2.tar") as tar:
        signature = tar.extractfile("bundle.sig").read()  # type: ignore[union-attr]
    place = _tar(tmp_path / "evil.tar", (_member("bundle.sig"), signature), (member, b""))
    with pytest.raises(ConfigError, match=rf"evil\.tar: member '.*' {said}; nothing of it is used"):
        swath("import", "--bundle", place, "--key", region / "ours.pub", "--output", tmp_path)


def test_a_tar_of_many_files_one_that_is_cut_and_what_is_none_are_refused(region: Path, tmp_path: Path) -> None:
    words = ("--key", region / "ours.pub", "--output", tmp_path)
    with tarfile.open(region / "2.tar") as tar:
        signature = tar.extractfile("bundle.sig").read()  # type: ignore[union-attr]
    many = _tar(tmp_path / "many.tar", (_member("bundle.sig"), signature), *((_member(f"content/{i}"), b"") for i in range(100)))
    with pytest.raises(ConfigError, match="is beyond 40 files or"):
        swath("import", "--bundle", many, *words)
    whole = (region / "2.tar").read_bytes()
    for share in (0.3, 0.5, 0.7):
        (tmp_path / "cut.tar").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(ConfigError, match=r"cut\.tar: (not a complete tar|.*cut in the middle|.*does not hold)"):
            swath("import", "--bundle", tmp_path / "cut.tar", *words)
    (tmp_path / "none.tar").write_bytes(b"no tar at all")
    with pytest.raises(ConfigError, match=r"none\.tar: not a complete tar"):
        swath("import", "--bundle", tmp_path / "none.tar", *words)
    with pytest.raises(ConfigError, match=r"gone\.tar: there is no such bundle"):
        swath("import", "--bundle", tmp_path / "gone.tar", *words)


def test_what_is_asked_of_the_commands_is_said(region: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give --key PUBLIC_KEY or set SWATH_MODEL_KEYS"):
        swath("import", "--bundle", region / "2.tar", "--output", tmp_path)
    with pytest.raises(ConfigError, match="a bundle is signed: give --sign-key or set SWATH_MODEL_SIGN_KEY"):
        swath("export", "tiny/1", "--bundle", tmp_path / "x.tar", "--output", region)
    with pytest.raises(ConfigError, match="either --to STORE or --bundle FILE"):
        swath("export", "tiny/1", "--output", region)
    with pytest.raises(
        ConfigError, match="either REFERENCE --from STORE, --bundle FILE --key PUBLIC_KEY, or --sagemaker-package ARN"
    ):
        swath("import", "tiny/1", "--bundle", region / "2.tar", "--output", tmp_path)
    with pytest.raises(ConfigError, match=r"ours\.pub: not a private key that signs models"):
        swath("export", "tiny/1", "--bundle", tmp_path / "x.tar", "--sign-key", region / "ours.pub", "--output", region)
    with pytest.raises(ConfigError, match=r"ours\.pem: no public key in it"):
        swath("import", "--bundle", region / "2.tar", "--key", region / "ours.pem", "--output", tmp_path)


def test_a_model_that_is_revoked_at_one_site_is_refused_where_the_list_is_taken(
    region: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, there, here = digest_of(region, 2), tmp_path / "region" / "revoked", tmp_path / "site" / "revoked"
    words = ("--because", "water as forest", "--list", there, "--sign-key", region / "ours.pem")
    assert swath("revoke", digest, *words) == f"revoked sha256 {digest} in {there}: water as forest\n"
    shutil.copytree(tmp_path / "region", tmp_path / "site")
    monkeypatch.setenv("SWATH_MODEL_REVOKED", str(here))
    monkeypatch.setenv("SWATH_MODEL_KEYS", str(region / "ours.pub"))
    said = rf"revocation: digest {digest} was revoked, 20.*: water as forest; use another version"
    with pytest.raises(ConfigError, match=said):
        swath("import", "--bundle", region / "2.tar", "--output", tmp_path)
    with pytest.raises(ConfigError, match=rf"tiny/2: {said}"):
        Registry.beside(region).resolve("tiny/2")
    assert Registry.beside(region).resolve("tiny/1").version == "1"
    with pytest.raises(ConfigError, match="is signed: give --sign-key"):
        swath("revoke", "ab" * 32, "--because", "x", "--list", here)
    text = (here / "revoked.json").read_text()
    (here / "revoked.json").write_text(text.replace(digest, "cd" * 32))
    with pytest.raises(ConfigError, match=r"the list of revoked models is not trusted: .*\(changed: revoked\.json\)"):
        Registry.beside(region).resolve("tiny/2")
    shutil.rmtree(here)
    with pytest.raises(ConfigError, match="the list of revoked models is not trusted"):
        Registry.beside(region).resolve("tiny/1")
    monkeypatch.delenv("SWATH_MODEL_KEYS")
    with pytest.raises(ConfigError, match="the list of revoked models cannot be read"):
        Registry.beside(region).resolve("tiny/1")
    with pytest.raises(ConfigError, match="'12ab' is not the digest of a model: 64 hex digits"):
        swath("revoke", "12ab", "--because", "x", "--list", here)


def test_a_folder_is_signed_when_it_is_registered(region: Path, unpacked: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(unpacked / "content" / "model", tmp_path / "mine"))
    digest = model_digest(model)
    swath("register", model, "--sign-key", region / "ours.pem", "--output", tmp_path)
    assert admit(model).name == "tiny"
    assert Registry.beside(tmp_path).resolve("tiny/1").digest == digest
    assert verify(model, signature=tmp_path / "mine.sig", keys=keys_of(str(region / "ours.pub")))
