"""``swath models area``: hectares of an item's map, by the confusion that its model kept or that the user gives."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.tiny_model import RECIPE, swath_models

from swath.errors import ConfigError
from swath.inference.calibration import ErrorMatrix
from swath.inference.manifest import Manifest

DIGEST = "ab" * 32
#: 90 % of what is mapped as low is low, all that is mapped as high is high.
KEPT = replace(RECIPE.manifest(), error_matrix=ErrorMatrix(confusion=((90, 0), (10, 50)), polygons=(11, 5)))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return written(tmp_path, KEPT)


def written(folder: Path, manifest: Manifest, **changes: Any) -> Path:
    """An output with a pinned model and one item of 1000 valid pixels of 30 m, 400 of them low."""
    pinned = folder / "models" / "pinned" / DIGEST
    pinned.mkdir(parents=True)
    (pinned / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    asset = {
        "statistics": {"count": 1250, "valid_percent": 80.0},
        "swath:class_percent": {"low": 40.0, "high": 60.0},
        "swath:model": DIGEST,
    }
    properties = {"proj:code": "EPSG:32633", "proj:transform": [30.0, 0.0, 5e5, 0.0, -30.0, 5e6], **changes}
    (folder / "item.json").write_text(json.dumps({"properties": properties, "assets": {"landcover": asset}}), encoding="utf-8")
    return folder


def test_areas_are_corrected_by_what_the_model_confused(output: Path) -> None:
    found = json.loads(swath_models("area", output / "item.json", "--output", output, "-o", "json"))
    low, high = found
    assert (low["mapped_ha"], high["mapped_ha"]) == pytest.approx((36.0, 54.0))
    assert (low["estimated_ha"], high["estimated_ha"]) == pytest.approx((0.9 * 36.0, 54.0 + 0.1 * 36.0))
    # By hand: W^2 p (1 - p) / (polygons - 1), W = .4, p = .9, 11 polygons.
    assert low["half_width_ha"] == pytest.approx(1.959964 * (0.16 * 0.09 / 10) ** 0.5 * 90.0)
    twice = json.loads(swath_models("area", *[output / "item.json"] * 2, "--output", output, "-o", "json"))
    assert twice[0]["estimated_ha"] == pytest.approx(2 * low["estimated_ha"])


def test_places_that_were_checked_take_the_place_of_the_training(output: Path) -> None:
    checked = output / "checked.json"
    checked.write_text(json.dumps({"classes": ["high", "low"], "rows_are_truth": [[30, 5], [0, 15]]}), encoding="utf-8")
    table = swath_models("area", output / "item.json", "--output", output, "--confusion", checked)
    assert table.splitlines()[0].split() == ["class", "mapped_ha", "estimated_ha", "interval_95_ha"]
    assert table.splitlines()[1].split()[:3] == ["low", "36.0", "27.0"]


def test_what_cannot_be_estimated_is_refused(output: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"asset qa is not a class map of a model \(class maps: landcover\)"):
        swath_models("area", output / "item.json", "--asset", "qa", "--output", output)
    plain = written(tmp_path / "plain", RECIPE.manifest())
    degrees = written(tmp_path / "degrees", KEPT, **{"proj:code": "EPSG:4326"})
    with pytest.raises(ConfigError, match="kept no confusion of its training"):
        swath_models("area", plain / "item.json", "--output", plain)
    with pytest.raises(ConfigError, match="pixels of EPSG:4326 have no one area"):
        swath_models("area", degrees / "item.json", "--output", degrees)
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({"classes": ["low", "sea"], "rows_are_truth": [[1, 0], [0, 1]]}), encoding="utf-8")
    with pytest.raises(ConfigError, match="expected counts of low, high, 2 x 2; got low, sea"):
        swath_models("area", output / "item.json", "--output", output, "--confusion", wrong)
    with pytest.raises(ConfigError, match="there is no such item"):
        swath_models("area", output / "none.json", "--output", output)
