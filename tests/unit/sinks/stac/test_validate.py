"""Validation without a network."""

import json
from pathlib import Path

import pytest

from swath.errors import ConfigError
from swath.product import Product
from swath.sinks.stac.item import item_of
from swath.sinks.stac.validate import StacValidator

VIEW = "https://stac-extensions.github.io/view/v1.1.0/schema.json"


def test_without_a_folder_the_core_is_checked_and_the_rest_is_named(product: Product) -> None:
    found = StacValidator().validate(item_of(product))
    assert found.valid
    assert found.checked == ("https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/item.json",)
    assert VIEW in found.unchecked


def test_a_broken_item_is_told_where(product: Product) -> None:
    item = item_of(product)
    item["properties"]["datetime"] = 7
    found = StacValidator().validate(item)
    assert not found.valid
    assert any(f.where == "/properties/datetime" for f in found.findings)


def test_a_folder_adds_its_schemas_by_id(product: Product, tmp_path: Path) -> None:
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "$id": f"{VIEW}#", "type": "object", "required": ["never"]}
    (tmp_path / "any-name.json").write_text(json.dumps(schema))
    found = StacValidator(tmp_path).validate(item_of(product))
    assert VIEW in found.checked
    assert [f.schema for f in found.findings] == [VIEW]


def test_what_is_no_stac_object_is_refused() -> None:
    for stranger in ({"type": "FeatureCollection"}, [1, 2], "Feature", None):
        with pytest.raises(ConfigError, match="not a STAC object"):
            StacValidator().validate(stranger)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SWATH_STAC_SCHEMAS"):
        StacValidator(tmp_path / "nowhere")


def test_a_file_without_an_id_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(ConfigError, match="not a JSON schema"):
        StacValidator(tmp_path)


def test_a_version_without_schemas_is_refused_not_called_valid(product: Product) -> None:
    with pytest.raises(ConfigError, match=r"'1\.0\.0' cannot be checked"):
        StacValidator().validate(item_of(product) | {"stac_version": "1.0.0"})


def test_an_item_that_states_no_version_is_told_which_one_is_expected(product: Product) -> None:
    stateless = {name: value for name, value in item_of(product).items() if name != "stac_version"}
    with pytest.raises(ConfigError, match=r"there is no stac_version in it; expected stac_version 1\.1\.0"):
        StacValidator().validate(stateless)


def test_a_schema_that_refers_to_one_not_at_hand_is_named_unchecked(product: Product, tmp_path: Path) -> None:
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "$id": VIEW, "allOf": [{"$ref": "https://a.test/x.json"}]}
    (tmp_path / "view.json").write_text(json.dumps(schema))
    found = StacValidator(tmp_path).validate(item_of(product))
    assert VIEW in found.unchecked
    assert found.valid


def test_extensions_that_are_no_addresses_are_findings(product: Product) -> None:
    item = item_of(product) | {"stac_extensions": [{"a": 1}, 5]}
    found = StacValidator().validate(item)
    assert any(f.where.startswith("/stac_extensions") for f in found.findings)
