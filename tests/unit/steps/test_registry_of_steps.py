from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from swath import plugged
from swath.errors import ConfigError
from swath.steps import registry
from swath.steps.ndvi import Ndvi
from swath.steps.smac import Smac


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Install entry points for one test."""

    def install(*points: EntryPoint) -> None:
        monkeypatch.setattr(plugged, "entry_points", lambda *, group: points if group == "swath.steps" else ())
        registry._targets.cache_clear()

    yield install
    registry._targets.cache_clear()


def test_a_step_is_built_from_its_name_and_parameters() -> None:
    assert registry.step("smac", {"aot550": 0.14}) == Smac(aot550=0.14)
    assert registry.step("ndvi", {}) == Ndvi()


def test_an_unknown_step_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match=r"no step 'smack'; did you mean 'smac'\?"):
        registry.step("smack", {})


def test_a_word_like_no_other_gets_the_list() -> None:
    with pytest.raises(
        ConfigError, match=r"no step 'xyzzy' \(steps: classes, clouds, .*, landcover_shadow, ndvi, pansharpen, qa, smac, toa"
    ):
        registry.step("xyzzy", {})


def test_an_unknown_parameter_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match=r"step 'smac' has no parameter 'aot'; did you mean 'aot550'\?"):
        registry.step("smac", {"aot": 0.1})
    with pytest.raises(ConfigError, match=r"step 'toa' has no parameter 'gain' \(its parameters: none\)"):
        registry.step("toa", {"gain": 1})


def test_a_value_that_a_step_refuses_is_a_mistake_of_the_config() -> None:
    with pytest.raises(ConfigError, match=r"ndvi\.size must be an odd"):
        registry.step("ndvi", {"size": 2})


def test_a_users_package_plugs_in(plug_in: Any) -> None:
    plug_in(EntryPoint(name="mine", value="swath.steps.ndvi:Ndvi", group="swath.steps"))
    assert registry.step("mine", {"size": 3}) == Ndvi(size=3)


def test_a_plug_in_cannot_replace_a_step_of_swath(plug_in: Any) -> None:
    plug_in(EntryPoint(name="toa", value="my.package:Toa", group="swath.steps"))
    with pytest.raises(ConfigError, match="takes the name of swath's own step 'toa'"):
        registry.step("toa", {})


def test_a_plug_in_that_cannot_be_loaded_is_named(plug_in: Any) -> None:
    plug_in(EntryPoint(name="mine", value="no.such.package:Step", group="swath.steps"))
    with pytest.raises(ConfigError, match=r"step 'mine' cannot be loaded from 'no.such.package:Step'"):
        registry.step("mine", {})


def test_a_plug_in_that_is_no_step_is_refused(plug_in: Any) -> None:
    plug_in(EntryPoint(name="mine", value="swath.grid:Window", group="swath.steps"))
    with pytest.raises(ConfigError, match="Window is not a step: it lacks name, version, kinds, parameters, recipes, run"):
        registry.step("mine", {"row": 0, "col": 0, "height": 1, "width": 1})
