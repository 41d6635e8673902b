"""SageMaker's model registry, by moto over HTTP: packages become models here, models become packages, and what may not."""

import gzip
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import numpy as np
import pandas as pd
import pytest
import requests
import xgboost
import yaml
from lightgbm import Dataset
from lightgbm import train as fit_lightgbm
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sagemaker.models import sagemaker_backends
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from tests.tiny_model import BANDS, RECIPE, samples
from tests.tiny_model import swath_models as swath

from swath.errors import ConfigError
from swath.inference.loader import load_predictor
from swath.inference.registry import Registry
from swath.training.draw import Drawn
from swath.training.train import Trained, train

REGION = "us-east-1"
POLICY = Path(__file__).resolve().parents[2] / "emr-on-eks" / "sagemaker.yaml"
METADATA = {
    "swath.name": "theirs",
    "swath.bands": "red nir08",
    "swath.of": "toa",
    "swath.licence": "Apache-2.0",
    "swath.class.1": "1:low:0000c8:Low",
    "swath.class.2": "2:high:00c800:High ground",
    "team": "land cover",
}
Files = Mapping[str, bytes]
Send = Callable[..., str]


def tar(files: Files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            made.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, Any]:
    drawn = samples({"low": 0.1, "high": 0.4}, seed=0)
    return drawn[BANDS], (drawn["label"] == "high").to_numpy().astype(np.int64)


@pytest.fixture(scope="module")
def made(table: tuple[pd.DataFrame, Any], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """Files of weights, each by its library."""
    rows, truth = table
    folder = tmp_path_factory.mktemp("made")
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 2, "nthread": 1}, xgboost.DMatrix(rows, truth), 3)
    for end in ("ubj", "json"):
        booster.save_model(folder / f"x.{end}")
    settings = {"objective": "binary", "verbose": -1, "num_leaves": 4, "num_threads": 1}
    text = fit_lightgbm(settings, Dataset(rows, truth), 3).model_to_string()
    forest = RandomForestClassifier(3, max_depth=2, random_state=0).fit(rows.to_numpy(), truth)
    trees = to_onnx(forest, rows.to_numpy()[:1], options={"zipmap": False}).SerializeToString()
    return {"ubj": (folder / "x.ubj").read_bytes(), "json": (folder / "x.json").read_bytes(), "txt": text.encode(), "onnx": trees}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry of its own for what is accepted: MLflow takes seconds to make one."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def tiny(home: Path) -> Trained:
    drawn = Drawn(samples=samples({"low": 0.1, "high": 0.4}, seed=0), refused={})
    return train(drawn, recipe=RECIPE, registry=Registry.beside(home))


@pytest.fixture
def sagemaker(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", bucket.endpoint)
    client = boto3.client("sagemaker", region_name=REGION)
    client.create_model_package_group(ModelPackageGroupName="land", ModelPackageGroupDescription="Land cover")
    yield client
    backend = sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION]
    backend.model_packages.clear()
    backend.model_package_name_mapping.clear()
    backend.model_package_groups.clear()
    client.close()


@pytest.fixture
def send(sagemaker: Any, bucket: Any) -> Send:
    """Make a package of some files; its ARN."""

    def made(
        files: Files | bytes, *, approved: str = "Approved", metadata: Mapping[str, str] = METADATA, **container: Any
    ) -> str:
        bucket.client.put_object(Bucket=bucket.name, Key="m/model.tar.gz", Body=files if isinstance(files, bytes) else tar(files))
        data = container or {"ModelDataUrl": f"s3://{bucket.name}/m/model.tar.gz"}
        containers = data.pop("containers", None) or [{"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1", **data}]
        told: str = sagemaker.create_model_package(
            ModelPackageGroupName="land",
            InferenceSpecification={
                "Containers": containers,
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": [],
            },
            ModelApprovalStatus=approved,
            MetadataProperties={"GeneratedBy": "training-job-7", "CommitId": "c0ffee"},
            ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://b/metrics.json"}}},
            **({"CustomerMetadataProperties": dict(metadata)} if metadata else {}),
        )["ModelPackageArn"]
        return told

    return made


@pytest.fixture
def rows_file(table: tuple[pd.DataFrame, Any], tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    table[0].iloc[::5].to_csv(path, index=False)
    return path


def taken(arn: str, home: Path, *words: object) -> str:
    return swath("import", "--sagemaker-package", arn, "--output", home, *words)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ubj", "xgboost-model"),
        pytest.param("json", "xgboost-model", marks=pytest.mark.long),
        pytest.param("txt", "model.txt", marks=pytest.mark.long),
        pytest.param("onnx", "model/1/model.onnx", marks=pytest.mark.long),
    ],
)
def test_what_libraries_leave_becomes_a_model_with_its_lineage(
    send: Send, made: Mapping[str, bytes], table: tuple[pd.DataFrame, Any], rows_file: Path, home: Path, kind: str, name: str
) -> None:
    arn = send({name: made[kind], "notes/readme.md": b"words"})
    assert taken(arn, home, "--rows", rows_file, "--name", kind).startswith(f"{kind} 1: sha256")
    registry = Registry.beside(home)
    pinned = registry.resolve(f"{kind}/1")
    assert [c.title for c in pinned.manifest.classes] == ["Low", "High ground"]
    answer = load_predictor(pinned.path, pinned.digest).predict(np.ascontiguousarray(table[0].to_numpy().T))
    assert (answer.argmax(axis=0) == table[1]).mean() > 0.99
    tags = registry.client().get_model_version(kind, "1").tags
    assert {k: tags[f"source.{k}"] for k in ("arn", "name", "version", "run", "image", "metrics", "commit")} == {
        "arn": arn, "name": "land", "version": "1", "run": "training-job-7",
        "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1", "metrics": "s3://b/metrics.json", "commit": "c0ffee",
    }  # fmt: skip
    assert pinned.manifest.training["adopted"] == arn


def test_data_under_a_prefix_an_etag_a_container_and_a_manifest_file(
    send: Send, made: Mapping[str, bytes], bucket: Any, home: Path, tmp_path: Path
) -> None:
    bucket.client.put_object(Bucket=bucket.name, Key="plain/deep/model.onnx", Body=made["onnx"])
    source = {"S3DataSource": {"S3Uri": f"s3://{bucket.name}/plain/", "S3DataType": "S3Prefix", "CompressionType": "None"}}
    stated = tmp_path / "m.yaml"
    classes = [{"value": v, "name": n, "title": n} for v, n in ((1, "low"), (2, "high"))]
    stated.write_text(yaml.safe_dump({"name": "plain", "bands": BANDS, "of": "toa", "licence": "MIT", "classes": classes}))
    arn = send({}, metadata={}, ModelDataSource=source)
    with pytest.raises(ConfigError, match=r"nothing says its bands, scale and classes: give --manifest FILE, or set Customer"):
        taken(arn, home)
    told = taken(arn, home, "--manifest", stated)
    assert "came without example rows: nothing proves the order and the scale of its bands; give --rows FILE" in told
    assert "plain 1: sha256" in told
    packed = tar({"model.txt": made["txt"]})
    etag = bucket.client.put_object(Bucket=bucket.name, Key="e/model.tar.gz", Body=packed)["ETag"].strip('"')
    place = {"S3Uri": f"s3://{bucket.name}/e/model.tar.gz", "S3DataType": "S3Object", "CompressionType": "Gzip"}
    two = [
        {"ContainerHostname": "first", "Image": "i", "ModelDataUrl": "s3://nowhere/x"},
        {"ContainerHostname": "second", "Image": "i", "ModelDataETag": etag, "ModelDataSource": {"S3DataSource": place}},
    ]
    arn = send({}, containers=two)
    with pytest.raises(ConfigError, match=r"it has 2 containers \(first, second\), expected one; choose one with --container"):
        taken(arn, home)
    with pytest.raises(ConfigError, match="it has no container 'third'; it has first, second"):
        taken(arn, home, "--container", "third")
    assert "theirs 1: sha256" in taken(arn, home, "--container", "second")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"approved": "PendingManualApproval"}, "ModelApprovalStatus is PendingManualApproval, expected Approved; approve it"),
        ({"approved": "Rejected"}, "ModelApprovalStatus is Rejected, expected Approved"),
        ({"status": "Pending"}, "ModelPackageStatus is Pending, expected Completed"),
        ({"status": "Failed"}, "ModelPackageStatus is Failed, expected Completed; wait for SageMaker, or create"),
        ({"containers": [{"Image": "i"}]}, r"data of its container are not stated \(ModelDataUrl, ModelDataSource\)"),
        ({"ModelDataUrl": "https://s3.amazonaws.com/b/x"}, "are at 'https://s3.amazonaws.com/b/x', expected s3://"),
        ({"ModelDataUrl": "s3://BUCKET/nothing.tar.gz"}, "nothing.tar.gz: the package names these data, there is no such object"),
        ({"kind": "S3Object", "packing": "None"}, "its data are S3Object with None, expected S3Object with Gzip or S3Prefix"),
        ({"etag": "0" * 32}, "the package states the ETag 0{32}, the object has [0-9a-f]{32}: it was replaced"),
        ({"metadata": {**METADATA, "swath.band": "x"}}, r"swath.band = 'x' cannot be read: unknown key; did you mean 'bands'"),
        ({"metadata": {**METADATA, "swath.class.1": "low"}}, "class 1 must be VALUE:NAME:RRGGBB:TITLE"),
        ({"metadata": {**METADATA, "swath.bands": "nir08 red"}}, "features red, nir08, the manifest says nir08, red"),
    ],
)  # fmt: skip
def test_a_package_that_may_not_be_used_is_refused_by_name(
    send: Send, made: Mapping[str, bytes], bucket: Any, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    change, status = dict(change), change.get("status")
    change.pop("status", None)
    place = f"s3://{bucket.name}/m/model.tar.gz"
    if "kind" in change:
        source = {"S3Uri": place, "S3DataType": change.pop("kind"), "CompressionType": change.pop("packing")}
        change["ModelDataSource"] = {"S3DataSource": source}
    if "etag" in change:
        change |= {"ModelDataUrl": place, "ModelDataETag": change.pop("etag")}
    if "ModelDataUrl" in change:
        change["ModelDataUrl"] = change["ModelDataUrl"].replace("BUCKET", bucket.name)
    arn = send({"model.txt": made["txt"]}, **change)
    if status:
        sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION].model_packages[arn].model_package_status = status
    with pytest.raises(ConfigError, match=told) as error:
        taken(arn, tmp_path)
    assert arn in str(error.value) or bucket.name in str(error.value)
    assert Registry.beside(tmp_path).absent


def _member(name: str, **told: Any) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        member = tarfile.TarInfo(name)
        for key, value in told.items():
            setattr(member, key, value)
        made.addfile(member)
    return buffer.getvalue()


@pytest.mark.long
@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"model.joblib": b"x"}, "it holds model.joblib, a pickle of scikit-learn: convert it with skl2onnx"),
        ({"model.pkl": b"x"}, "it holds model.pkl, a pickle: save the booster"),
        ({"model.pth": b"x"}, "it holds model.pth, a pickle of PyTorch: export model.onnx"),
        ({"model.txt": b"x", "code/inference.py": b"x"}, "it holds code/inference.py, code: swath runs models as data alone"),
        ({"xgboost-model": b"\x80\x04\x95x"}, r"its older binary form and pickles are not read; save it again .*save_model"),
        ({"xgboost-model": b"binf\x00\x00"}, r"its older binary form and pickles are not read; save it again"),
        ({"weights.h5": b"x"}, "0 models in it, expected one; it holds weights.h5; known are xgboost-model, model.txt"),
        ({"a/model.txt": b"x", "b/model.onnx": b"x"}, "2 models in it, expected one; it holds a/model.txt, b/model.onnx"),
        ({"../model.txt": b"x"}, r"member '../model.txt' has a path that leads out of the folder; nothing of it is used"),
        ({"/model.txt": b"x"}, "member '/model.txt' has a path that leads out of the folder"),
        ({f"f{n}": b"" for n in range(33)}, "is beyond 32 files"),
        ({"model.txt": bytes(5 << 20)}, r"more than \d+ bytes come out of \d+: .* 200 times what is packed"),
        (_member("model.txt", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "is a link, a device or a sparse file"),
        (_member("model.txt", type=tarfile.CHRTYPE, devmajor=1, devminor=5), "is a link, a device or a sparse file"),
        (_member("model.txt", size=2 << 30), "is beyond 32 files or 1073741824 bytes|bytes come out of"),
        (b"no tar", "not a complete tar: Not a gzipped file"),
        (tar({"model.txt": bytes(range(256)) * 64})[:200], "not a complete tar|cut in the middle"),
    ],
)  # fmt: skip
def test_data_that_are_code_or_unsafe_are_refused_by_name(
    send: Send, bucket: Any, tmp_path: Path, data: Files | bytes, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        taken(send(data), tmp_path)
    assert Registry.beside(tmp_path).absent


def test_the_latest_approved_package_of_a_group_is_found(send: Send, made: Mapping[str, bytes], home: Path) -> None:
    send({"model.txt": made["txt"]}, approved="Rejected")
    send({"model.txt": made["txt"]}, approved="PendingManualApproval")
    with pytest.raises(ConfigError, match="group land has no approved package: it has 1 PendingManualApproval, 1 Rejected"):
        taken("land@latest-approved", home)
    send({"model.txt": b"x"})
    newest = send({"model.txt": made["txt"]})
    send({"model.txt": made["txt"]}, approved="PendingManualApproval")
    taken("land@latest-approved", home, "--name", "latest")
    assert Registry.beside(home).client().get_model_version("latest", "1").tags["source.arn"] == newest
    with pytest.raises(ConfigError, match=r"group nothing has no approved package: it has no package"):
        taken("nothing", home)
    with pytest.raises(ConfigError, match="'land/1' names no model package: expected arn:aws:sagemaker:REGION:ACCOUNT"):
        taken("land/1", home)
    with pytest.raises(ConfigError, match=r"model-package/land/99: SageMaker answers Validation"):
        taken(newest.rpartition("/")[0] + "/99", home)


def _problems(shape: Any, value: Any, where: str) -> Iterator[str]:
    """What the service model of botocore says against a request: lengths, patterns, words, members."""
    told = shape.metadata
    if shape.type_name == "structure":
        yield from (f"{where}: no {n}" for n in shape.required_members if n not in value)
        for name, part in value.items():
            yield from _problems(shape.members[name], part, f"{where}.{name}")
    elif shape.type_name in ("list", "map"):
        if not told.get("min", 0) <= len(value) <= told.get("max", len(value)):
            yield f"{where}: {len(value)} entries"
        parts = value.items() if shape.type_name == "map" else enumerate(value)
        for key, part in parts:
            yield from _problems(shape.value if shape.type_name == "map" else shape.member, part, f"{where}.{key}")
            if shape.type_name == "map":
                yield from _problems(shape.key, key, f"{where} key {key}")
    elif shape.type_name == "string":
        # botocore's patterns name classes of Unicode that Python's module has not; the letters are all that matter here.
        pattern = re.sub(r"\\p\{[LNM]\}", r"\\w", told.get("pattern", ".*")).replace(r"\p{Z}", " ").replace(r"\p{S}", "|+<>=~^`$")
        pattern = re.sub(r"\$\{1,\d+\}", "", pattern.replace(r"\p{P}", r"\-!-/:-@\[-_{-~"))
        if not told.get("min", 0) <= len(value) <= told.get("max", len(value)) or not re.fullmatch(pattern, value):
            yield f"{where}: {value!r}"
        if told.get("enum") and value not in told["enum"]:
            yield f"{where}: {value!r} is none of {told['enum']}"


def test_a_model_of_ours_goes_out_waits_for_approval_and_comes_back_with_its_digest(
    sagemaker: Any, bucket: Any, home: Path, tiny: Trained
) -> None:
    made = tiny
    bucket.asked()
    arn = swath("export", "tiny/1", "--sagemaker-group", "ours", "--to", f"s3://{bucket.name}/out", "--output", home).strip()
    sent = [json.loads(b) for t, b in bucket.recorder.bodies if t == "SageMaker.CreateModelPackage"]
    shape = botocore.session.get_session().get_service_model("sagemaker").operation_model("CreateModelPackage").input_shape
    assert [p for request in sent for p in _problems(shape, request, "CreateModelPackage")] == []
    assert len(sent) == 1
    told = sagemaker.describe_model_package(ModelPackageName=arn)
    assert told["ModelApprovalStatus"] == "PendingManualApproval"
    assert told["CustomerMetadataProperties"]["swath.digest"] == made.model.digest
    assert told["ModelPackageDescription"].startswith("# Tiny")
    assert told["MetadataProperties"]["GeneratedBy"] == made.run_id
    metrics = told["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"].partition(f"{bucket.name}/")[2]
    numbers = json.loads(bucket.client.get_object(Bucket=bucket.name, Key=metrics)["Body"].read())
    assert numbers["metrics"]["accuracy"] == made.model.metrics["accuracy"]
    with pytest.raises(ConfigError, match="ModelApprovalStatus is PendingManualApproval"):
        taken(arn, home)
    # moto forgets the metadata unless they are given again.
    kept = told["CustomerMetadataProperties"]
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", CustomerMetadataProperties=kept)
    assert taken("ours@latest-approved", home, "--name", "back") == f"back 1: sha256 {made.model.digest}\n"
    with pytest.raises(ConfigError, match="it brings a manifest of its own; leave --manifest out"):
        taken(arn, home, "--manifest", "x.yaml")
    key = f"out/tiny/{made.model.digest}/model.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"].read())) as found:
        files = {m.name: found.extractfile(m).read() for m in found}  # type: ignore[union-attr]
    bucket.client.put_object(Bucket=bucket.name, Key=key, Body=tar({**files, "card.md": b"another"}))
    with pytest.raises(ConfigError, match=f"it states the digest {made.model.digest}, its files have .*: they were changed"):
        taken(arn, home)
    for group, place, why in (
        ("no_group", "s3://b", "is not the name of a model package group"),
        ("g", "here", "are in S3: expected"),
    ):
        with pytest.raises(ConfigError, match=why):
            swath("export", "tiny/1", "--sagemaker-group", group, "--to", place, "--output", home)


def test_a_package_of_another_account_is_refused_with_the_policy_that_allows_it(
    send: Send, made: Mapping[str, bytes], bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = send({"model.txt": made["txt"]})
    iam = boto3.client("iam", endpoint_url=bucket.endpoint, region_name=REGION)
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    requests.post(f"{bucket.endpoint}/moto-api/reset-auth", data=b"0", timeout=10)
    try:
        with pytest.raises(
            ConfigError, match=rf"{arn}: AWS refuses the request \(.*AccessDenied.*allow it as emr-on-eks/sagemaker.yaml"
        ):
            taken(arn, tmp_path)
    finally:
        requests.post(f"{bucket.endpoint}/moto-api/reset-auth", data=b"inf", timeout=10)


class _Tags(yaml.SafeLoader):
    """CloudFormation's short forms, kept as text."""


def _tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> str:
    return suffix


_Tags.add_multi_constructor("!", _tag)


def test_the_policy_allows_what_is_asked_and_nothing_else(
    send: Send, made: Mapping[str, bytes], bucket: Any, home: Path, tiny: Trained
) -> None:
    resources = yaml.load(POLICY.read_text(encoding="utf-8"), Loader=_Tags)["Resources"]  # noqa: S506  a SafeLoader
    allowed = {
        name: sorted(a for s in resources[name]["Properties"]["PolicyDocument"]["Statement"] for a in s["Action"])
        for name in ("ImportPolicy", "ExportPolicy")
    }
    send({"model.txt": made["txt"]})

    def asked(*words: object) -> list[str]:
        bucket.asked()
        swath(*words, "--output", home)
        of_s3 = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject"}
        targets = [t.replace("SageMaker.", "sagemaker:") for t, _ in bucket.recorder.bodies]
        objects = [of_s3[m] for m, path, _ in bucket.recorder.seen if f"/{bucket.name}/" in path]
        return sorted({*targets, *objects})

    came = asked("import", "--sagemaker-package", "land@latest-approved", "--name", "policy")
    went = asked("export", "tiny/1", "--sagemaker-group", "fresh", "--to", f"s3://{bucket.name}/out")
    # Data under a prefix are listed.
    assert allowed["ImportPolicy"] == sorted([*came, "s3:ListBucket"])
    assert allowed["ExportPolicy"] == went


def test_bytes_are_the_same_for_the_same_model(tmp_path: Path) -> None:
    from swath.training.sagemaker.exporting import packed  # noqa: PLC0415  boto3

    (tmp_path / "a").write_bytes(b"x")
    first = packed(tmp_path)
    assert first == packed(tmp_path)
    assert gzip.decompress(first)
