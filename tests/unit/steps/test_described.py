"""Every step describes its parameters: users see them in `swath steps show`."""

import json
from dataclasses import dataclass
from typing import ClassVar

import pytest
from click.testing import CliRunner

from swath.cli.steps import steps_group
from swath.errors import ConfigError
from swath.steps import registry
from swath.steps.described import describe
from swath.steps.registry import BUILTIN, step


@dataclass(frozen=True, kw_only=True)
class Crops:
    """``crops`` on the grid of the red band.

    Args:
        least_px: Size of the smallest field [pixels],
            on the red band's grid.
    """

    name: ClassVar[str] = "crops"
    version: ClassVar[int] = 3
    kinds: ClassVar[tuple[str, ...]] = ("crops",)
    least_px: int = 9
    hidden: str


@pytest.fixture
def crops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_targets", lambda: {**BUILTIN, "crops": f"{__name__}:Crops"})


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_every_parameter_of_a_step_is_described(name: str) -> None:
    found = describe(name)
    assert found.text
    assert [p.name for p in found.parameters if not p.text] == []


@pytest.mark.usefixtures("crops")
def test_a_plug_in_is_described_by_its_class() -> None:
    found = describe("crops")
    assert (found.version, found.text, found.kinds) == (3, "``crops`` on the grid of the red band.", ("crops",))
    assert [(p.name, p.text, p.required, p.default) for p in found.parameters] == [
        ("least_px", "Size of the smallest field [pixels], on the red band's grid.", False, 9),
        ("hidden", "", True, None),
    ]
    told = CliRunner().invoke(steps_group, ["show", "crops"], env={"COLUMNS": "120"}).output
    assert "least_px" in told
    assert "must be given" in told
    assert "not described" in told


def test_the_list_has_every_step_and_json_says_the_same() -> None:
    listed = json.loads(CliRunner().invoke(steps_group, ["list", "--json"]).output)
    assert {s["name"] for s in listed} >= set(BUILTIN)
    shown = json.loads(CliRunner().invoke(steps_group, ["show", "smac", "--json"]).output)
    assert shown == next(s for s in listed if s["name"] == "smac")
    assert shown["parameters"][0]["text"] == "Aerosol optical depth at 550 nm [1]."


def test_a_wrong_parameter_leads_to_the_description() -> None:
    with pytest.raises(
        ConfigError, match=r"did you mean 'aot550'\? \(its parameters: .*; `swath steps show smac` describes them\)"
    ):
        step("smac", {"aot55": 0.1})
