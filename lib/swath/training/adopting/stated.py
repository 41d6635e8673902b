"""What a person states of a model that others trained: a manifest without the weights."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from swath.errors import ConfigError
from swath.inference.manifest import MANIFEST_FORMAT, Manifest
from swath.training.adopting.weights import Converted

_MAX_BYTES = 1 << 20
#: What the weights themselves say.
_FOUND = ("kind", "weights")


def read_stated(path: Path) -> Mapping[str, Any]:
    """A manifest file, YAML or JSON, as parsed.

    Raises:
        ConfigError: It cannot be read, or holds no keys.
    """
    try:
        plain = yaml.safe_load(path.read_bytes()[:_MAX_BYTES])
    except (OSError, yaml.YAMLError) as error:
        msg = f"{path}: the manifest cannot be read: {error}"
        raise ConfigError(msg) from error
    if not isinstance(plain, Mapping):
        msg = f"{path}: expected the keys of a manifest (name, bands, of, classes, licence ...), got {type(plain).__name__}"
        raise ConfigError(msg)
    return dict(plain)


def bands_of(stated: Mapping[str, Any], *, where: str) -> int:
    """Number of bands that are stated.

    Raises:
        ConfigError: None are.
    """
    bands = stated.get("bands")
    if not isinstance(bands, list | tuple) or not bands:
        msg = f"{where}: bands must list the common band names in the order of the features, got {bands!r}"
        raise ConfigError(msg)
    return len(bands)


def manifest_of(stated: Mapping[str, Any], found: Converted, *, origin: Mapping[str, str], where: str) -> Manifest:
    """The whole manifest: what is stated, what the weights say, where they come from.

    Args:
        stated: As ``read_stated`` gives it.
        found: The weights.
        origin: Where they come from; joins ``training``.
        where: What stated it, for messages.

    Raises:
        ConfigError: Keys are missing, unknown or contradict the weights.
    """
    for key, says in zip(_FOUND, (found.kind, found.file), strict=True):
        if stated.get(key, says) != says:
            msg = f"{where}: {key} is {stated[key]!r}, the weights become {says!r}; leave {key} out"
            raise ConfigError(msg)
    plain = {"format": MANIFEST_FORMAT, **stated, "kind": found.kind, "weights": found.file}
    try:
        manifest = Manifest.from_plain(plain)
    except ConfigError as error:
        msg = f"{where}: {error}"
        raise ConfigError(msg) from error
    return replace(manifest, training={"attribution": "Not stated.", **manifest.training, **origin})
