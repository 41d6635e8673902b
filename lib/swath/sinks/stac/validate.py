"""Validate STAC objects against their schemas without a network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pystac
from pystac.errors import STACValidationError
from pystac.validation.schema_uri_map import DefaultSchemaUriMap
from pystac.validation.stac_validator import GetSchemaError, JsonSchemaSTACValidator
from referencing.exceptions import Unresolvable

from swath.errors import ConfigError
from swath.sinks.stac.item import STAC_VERSION

_TYPES: Mapping[str, pystac.STACObjectType] = {
    "Feature": pystac.STACObjectType.ITEM,
    "Collection": pystac.STACObjectType.COLLECTION,
    "Catalog": pystac.STACObjectType.CATALOG,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFinding:
    """Something that a schema forbids.

    Args:
        schema: Address of the schema.
        where: Path of the offending value, ``/properties/view:azimuth``.
        message: Message of the schema's validator.
    """

    schema: str
    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What was checked, what could not be, and what was found.

    Args:
        checked: Schemas that were applied.
        unchecked: Extensions declared by the object whose schema is not at hand.
        findings: Empty when the object is valid.
    """

    checked: tuple[str, ...]
    unchecked: tuple[str, ...]
    findings: tuple[SchemaFinding, ...]

    @property
    def valid(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


class StacValidator:
    """Applies the core schemas that pystac carries and those of a folder; never asks the network.

    Args:
        schemas: Folder of extension schemas; None for the core schemas alone.

    Raises:
        ConfigError: The folder is not there, or a file in it is not a schema.
    """

    def __init__(self, schemas: Path | None = None) -> None:
        self._offline = _OfflineValidator()
        self._offline.schema_cache |= _schemas_in(schemas) if schemas is not None else {}

    def validate(self, stac: object) -> Validation:
        """Check one item, collection or catalogue, as parsed from JSON.

        Raises:
            ConfigError: The object is not STAC, or of a version whose schemas are not available.
        """
        told = stac if isinstance(stac, Mapping) else {}
        kind = _TYPES.get(str(told.get("type")))
        if kind is None:
            got = repr(told["type"]) if "type" in told else "no type"
            msg = f"not a STAC object: expected an object of type Feature, Collection or Catalog; got {got}"
            raise ConfigError(msg)
        core = DefaultSchemaUriMap().get_object_schema_uri(kind, str(told.get("stac_version")))
        if core not in self._offline.schema_cache:
            said = told.get("stac_version")
            lack = "there is no stac_version in it" if said is None else f"STAC {said!r} cannot be checked"
            msg = f"{lack}; expected stac_version {STAC_VERSION}, whose schemas swath has"
            raise ConfigError(msg)
        extensions = told.get("stac_extensions")
        declared = [s for s in extensions if isinstance(s, str)] if isinstance(extensions, list) else []
        plain = json.loads(json.dumps(told))
        results = {s: self._apply(plain, schema=s, kind=kind) for s in (core, *declared)}
        return Validation(
            checked=tuple(s for s, found in results.items() if found is not None),
            unchecked=tuple(s for s, found in results.items() if found is None),
            findings=tuple(f for found in results.values() for f in found or ()),
        )

    def _apply(self, plain: dict[str, Any], *, schema: str, kind: pystac.STACObjectType) -> list[SchemaFinding] | None:
        """What a schema forbids; None when the schema, or one that it refers to, is not at hand."""
        if schema not in self._offline.schema_cache:
            return None
        try:
            self._offline.validate_extension(plain, kind, plain["stac_version"], schema)
        except STACValidationError as error:
            return [
                SchemaFinding(schema=schema, where="/" + "/".join(map(str, e.absolute_path)), message=e.message[:500])
                for e in error.source or ()
            ]
        except (GetSchemaError, Unresolvable):
            return None
        return []


class _OfflineValidator(JsonSchemaSTACValidator):
    """pystac's validator, without its way to the network."""

    def _get_schema(self, schema_uri: str) -> dict[str, Any]:
        if schema_uri not in self.schema_cache:
            raise GetSchemaError(schema_uri, LookupError("this schema is not at hand, and the network is not asked"))
        return self.schema_cache[schema_uri]


def _schemas_in(folder: Path) -> dict[str, dict[str, Any]]:
    if not folder.is_dir():
        msg = f"no folder of STAC schemas at {folder}; set SWATH_STAC_SCHEMAS to one, or unset it"
        raise ConfigError(msg)
    found = {}
    for path in sorted(folder.glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(schema, dict) or not {"$id", "$schema"} <= schema.keys():
            msg = f"{path} is not a JSON schema: it lacks $id or $schema"
            raise ConfigError(msg)
        found[str(schema["$id"]).rstrip("#")] = schema
    return found
