"""An approved package of SageMaker becomes a model here, under the checks of every other model."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.digest import model_digest
from swath.inference.listing import RegisteredModel
from swath.inference.manifest import read_manifest
from swath.inference.mlmodel import NativeWeights
from swath.inference.registry import Registry
from swath.training.adopting.folder import NO_EXAMPLE, write_adopted
from swath.training.adopting.rows import read_rows
from swath.training.adopting.stated import read_stated
from swath.training.adopting.weights import ForeignWeights
from swath.training.sagemaker.client import sagemaker_client
from swath.training.sagemaker.data import fetch_data
from swath.training.sagemaker.layout import laid_out
from swath.training.sagemaker.metadata import DIGEST, PREFIX, stated_in
from swath.training.sagemaker.package import ModelPackage, find_package, region_of


def import_package(
    registry: Registry, reference: str, *, manifest: Path | None, rows: Path | None, container: str = "", name: str = "",
    say: Callable[[str], None],
) -> RegisteredModel:  # fmt: skip
    """Register the model of a package here.

    Args:
        registry: Registry that it joins.
        reference: ARN of a package, or ``GROUP@latest-approved``.
        manifest: File that states bands, scale, classes and licence; the package's metadata when None.
        rows: Real features for reference rows, a CSV with a column for each band; None without any.
        container: Host name of the container, when there are several.
        name: Registered name; the manifest's when empty.
        say: Hears what could not be proven.

    Raises:
        ConfigError: The package may not be used, holds code, differs from what is stated, or admission refuses it.
    """
    package = find_package(sagemaker_client(region_of(reference)), reference, container=container)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        home = Path(scratch) / "data"
        home.mkdir()
        fetch_data(package, into=home)
        laid = laid_out(home, called=package.arn)
        if laid.folder is not None:
            if manifest is not None:
                msg = f"{package.arn}: it brings a manifest of its own; leave --manifest out"
                raise ConfigError(msg)
            return _ours(registry, package, laid.folder, name=name)
        if laid.weights is None:  # for the type checker: a layout has one or the other
            raise AssertionError
        stated, where = _stated(package, manifest)
        examples = read_rows(rows, bands=stated.get("bands", ())) if rows is not None else None
        folder = _written(Path(scratch) / "model", package, laid.weights, stated=stated, where=where, rows=examples)
        if examples is None:
            say(f"{package.arn}: {NO_EXAMPLE}; give --rows FILE, or `swath models promote` gives it no alias")
        kept = laid.weights.path
        if kept.name == "xgboost-model":
            # MLflow's flavour reads the format from the end of the name.
            kept = kept.rename(kept.with_name("model.json" if kept.read_bytes()[1:2] in (b'"', b"\n", b" ") else "model.ubj"))
        native = NativeWeights(flavour=laid.weights.library, path=kept)
        return registry.register(
            folder, name=name or str(stated["name"]), more=package.lineage, native=native, called=package.arn
        )


def _stated(package: ModelPackage, manifest: Path | None) -> tuple[Mapping[str, Any], str]:
    if manifest is not None:
        return read_stated(manifest), str(manifest)
    stated = stated_in(package.stated, where=package.arn)
    if not stated:
        msg = (
            f"{package.arn}: nothing says its bands, scale and classes: give --manifest FILE, or set CustomerMetadataProperties "
            "swath.name, swath.bands, swath.of, swath.licence and swath.class.1, swath.class.2 ... of the package"
        )
        raise ConfigError(msg)
    return stated, package.arn


def _written(
    into: Path, package: ModelPackage, weights: ForeignWeights, *, stated: Mapping[str, Any], where: str,
    rows: NDArray[np.float32] | None,
) -> Path:  # fmt: skip
    try:
        origin = {"adopted": package.arn, "adopted_run": package.job, "adopted_commit": package.commit}
        write_adopted(into, weights, stated=stated, rows=rows, origin={k: v for k, v in origin.items() if v}, where=where)
    except ConfigError as error:
        msg = f"{package.arn}: {error}"
        raise ConfigError(msg) from error
    return into


def _ours(registry: Registry, package: ModelPackage, folder: Path, *, name: str) -> RegisteredModel:
    found, promised = model_digest(folder), package.stated.get(PREFIX + DIGEST, "")
    if promised and promised != found:
        msg = f"{package.arn}: it states the digest {promised}, its files have {found}: they were changed; export it again"
        raise ConfigError(msg)
    return registry.register(folder, name=name or read_manifest(folder).name, more=package.lineage, called=package.arn)
