"""Windows back through the calls, and the calls themselves: what is read, resampled, trimmed and freed."""

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from swath.algo.resample import nearest, resample
from swath.engine.evaluate import Clock, evaluate
from swath.engine.graph import Graph, resolve
from swath.engine.supplies import Supplies
from swath.engine.windows import demand, hull
from swath.errors import GeometryError
from swath.grid import Window
from swath.pipeline import Layer, Need
from swath.scene import Scene


def _reader(scene: Scene, seen: list[tuple[str, Window]]) -> Any:
    """Bands whose numbers tell where they are."""

    def read(band: str, window: Window) -> Layer:
        seen.append((band, window))
        grid = scene.assets[band].grid
        y, x = np.mgrid[window.row : window.row_stop, window.col : window.col_stop]
        values = (y * 7 + x * 3 + 1).astype(np.uint16)
        return Layer(values=values, grid=grid, window=window, valid=values % 11 != 0)

    return read


def _run(graph: Graph, targets: dict[str, Window], seen: list[tuple[str, Window]] | None = None) -> dict[str, Layer]:
    read = _reader(graph.scene, seen if seen is not None else [])
    return evaluate(graph, targets, read=read, supplies=Supplies(), clock=Clock())


def test_a_layer_is_wanted_once_with_the_most_that_its_consumers_need(make: Any, scene: Scene) -> None:
    on = scene.reference
    steps = [
        make.step(name="toa", makes={"toa:red": on}, needs={"dn:red": Need()}),
        make.step(name="wide", makes={"wide": on}, needs={"toa:red": Need(halo_px=7)}),
        make.step(name="narrow", makes={"narrow": on}, needs={"toa:red": Need(halo_px=2)}),
    ]
    graph = resolve(make.pipeline(*steps, assets=("wide", "narrow")), scene)
    found = demand(graph, {"wide": Window(100, 50, 20, 30), "narrow": Window(100, 50, 20, 30)})
    assert found.layers["dn:red"] == found.layers["toa:red"] == Window(93, 43, 34, 44)
    seen: list[tuple[str, Window]] = []
    _run(graph, {"wide": Window(100, 50, 20, 30), "narrow": Window(100, 50, 20, 30)}, seen)
    assert seen == [("red", Window(93, 43, 34, 44))]
    assert steps[1].seen == [(Window(100, 50, 20, 30), {"toa:red": Window(93, 43, 34, 44)})]
    assert steps[2].seen == [(Window(100, 50, 20, 30), {"toa:red": Window(98, 48, 24, 34)})]


def test_halos_add_up_along_a_chain_and_end_at_the_edge(make: Any, scene: Scene) -> None:
    on = scene.reference
    steps = [
        make.step(name="a", makes={"a": on}, needs={"dn:red": Need(halo_px=3)}),
        make.step(name="b", makes={"b": on}, needs={"a": Need(halo_px=4)}),
    ]
    graph = resolve(make.pipeline(*steps, assets=("b",)), scene)
    assert demand(graph, {"b": Window(2, 300, 10, 10)}).layers["dn:red"] == Window(0, 293, 19, 24)
    assert demand(graph, {"b": Window(590, 470, 10, 10)}).layers["dn:red"] == Window(583, 463, 17, 17)


def test_without_a_halo_nothing_more_is_read(make: Any, scene: Scene) -> None:
    step = make.step(name="a", makes={"a": scene.reference}, needs={"dn:red": Need()})
    graph = resolve(make.pipeline(step, assets=("a",)), scene)
    assert demand(graph, {"a": Window(100, 0, 64, 480)}).layers["dn:red"] == Window(100, 0, 64, 480)


def test_another_grid_is_read_with_the_kernels_margin(make: Any, scene: Scene) -> None:
    on = scene.reference
    step = make.step(name="a", makes={"a": on}, needs={"dn:swir16": Need(on=on, halo_px=2)})
    graph = resolve(make.pipeline(step, assets=("a",)), scene)
    found = demand(graph, {"a": Window(100, 100, 20, 20)})
    assert found.calls[0][1]["dn:swir16"].window == Window(98, 98, 24, 24)
    assert found.layers["dn:swir16"] == Window(48, 48, 14, 14)


def test_calls_that_no_target_needs_are_not_made(make: Any, scene: Scene) -> None:
    on = scene.reference
    steps = [make.step(name=n, makes={n: on}, needs={f"dn:{n}": Need()}) for n in ("red", "nir")]
    graph = resolve(make.pipeline(*steps, assets=("red", "nir")), scene)
    seen: list[tuple[str, Window]] = []
    assert list(_run(graph, {"nir": Window(0, 0, 5, 5)}, seen)) == ["nir"]
    assert [band for band, _ in seen] == ["nir"]
    assert steps[0].seen == []


def test_a_target_is_trimmed_to_its_window(make: Any, scene: Scene) -> None:
    on = scene.reference
    steps = [
        make.step(name="a", makes={"a": on}, needs={"dn:red": Need()}),
        make.step(name="b", makes={"b": on}, needs={"a": Need(halo_px=5)}),
    ]
    graph = resolve(make.pipeline(*steps, assets=("a", "b")), scene)
    window = Window(200, 100, 11, 13)
    made = _run(graph, {"a": window, "b": window})
    assert made["a"].window == made["b"].window == window
    y, x = np.mgrid[200:211, 100:113]
    expected = (y * 7 + x * 3 + 1).astype(np.float64)
    expected[expected % 11 == 0] = np.nan
    np.testing.assert_array_equal(made["a"].physical, expected)


def test_layers_made_together_share_one_call(make: Any, scene: Scene) -> None:
    step = make.step(name="a", makes={"a": scene.reference, "b": scene.reference}, needs={"dn:red": Need()})
    graph = resolve(make.pipeline(step, assets=("a", "b")), scene)
    made = _run(graph, {"a": Window(0, 0, 10, 10), "b": Window(5, 5, 10, 10)})
    assert [window for window, _ in step.seen] == [Window(0, 0, 15, 15)]
    assert (made["a"].window, made["b"].window) == (Window(0, 0, 10, 10), Window(5, 5, 10, 10))


def test_a_layer_is_freed_after_its_last_use(make: Any, scene: Scene) -> None:
    on, alive = scene.reference, {}

    def watching(name: str, needs: dict[str, Need]) -> Any:
        step = make.step(name=name, makes={name: on}, needs=needs)
        real = type(step).run

        class Watching(type(step)):  # type: ignore[misc]
            def run(self, *args: Any, **more: Any) -> Any:
                gc.collect()
                alive[name] = sorted(n for n, ref in made.items() if ref() is not None)
                layers = real(self, *args, **more)
                made.update({n: weakref.ref(layer.values) for n, layer in layers.items()})
                return layers

        return Watching(name=name, makes={name: on}, needs=needs)

    made: dict[str, Any] = {}
    inputs = {"a": "dn:red", "b": "a", "c": "b", "d": "c"}
    steps = [watching(name, {source: Need()}) for name, source in inputs.items()]
    _run(resolve(make.pipeline(*steps, assets=("d",)), scene), {"d": Window(0, 0, 50, 50)})
    assert alive == {"a": [], "b": ["a"], "c": ["b"], "d": ["c"]}


def test_bits_are_picked_and_physical_values_are_averaged(make: Any, scene: Scene) -> None:
    fine, coarse = scene.assets["red"].grid, scene.assets["swir16"].grid
    given: dict[str, Layer] = {}

    class Catch(make.step):  # type: ignore[misc]
        def run(self, recipe: Any, layers: Any, **more: Any) -> Any:
            given.update(layers)
            return super().run(recipe, layers, **more)

    toa = make.step(name="toa", makes={"toa:red": fine}, needs={"dn:red": Need()})
    mix = Catch(name="mix", makes={"mix": coarse}, needs={"dn:red": Need(on=coarse), "toa:red": Need(on=coarse)})
    window = Window(20, 10, 8, 6)
    _run(resolve(make.pipeline(toa, mix, assets=("mix",)), scene), {"mix": window})
    read = _reader(scene, [])("red", fine.window)
    whole = resample(read.physical, fine.window, source=fine, target=coarse, window=coarse.window)
    np.testing.assert_array_equal(given["toa:red"].physical, whole[coarse.window.slices_of(window)])
    picked = nearest(read.values, fine.window, source=fine, target=coarse, window=window)
    np.testing.assert_array_equal(given["dn:red"].values, picked)
    np.testing.assert_array_equal(given["dn:red"].usable, picked % 11 != 0)


def test_pixels_outside_a_band_are_not_invented(make: Any, scene: Scene) -> None:
    fine = scene.assets["red"].grid
    wide = type(fine)(
        crs=fine.crs, left=fine.left - 300, top=fine.top + 300, dx=10.0, dy=10.0, width=fine.width + 60, height=fine.height + 60
    )
    given: dict[str, Layer] = {}

    class Catch(make.step):  # type: ignore[misc]
        def run(self, recipe: Any, layers: Any, **more: Any) -> Any:
            given.update(layers)
            return super().run(recipe, layers, **more)

    toa = make.step(name="toa", makes={"toa:red": fine}, needs={"dn:red": Need()})
    mix = Catch(name="mix", makes={"mix": wide}, needs={"dn:red": Need(on=wide), "toa:red": Need(on=wide)})
    _run(resolve(make.pipeline(toa, mix, assets=("mix",)), scene), {"mix": wide.window})
    inside = np.zeros(wide.window.shape, dtype=np.bool_)
    inside[30:-30, 30:-30] = True
    for name in ("dn:red", "toa:red"):
        assert given[name].usable[inside].any()
        assert not given[name].usable[~inside].any(), name


def test_a_band_elsewhere_is_refused(make: Any, scene: Scene) -> None:
    far = make.grid(20.0, height=50, width=50)
    far = type(far)(crs=far.crs, left=900_000.0, top=far.top, dx=20.0, dy=20.0, width=50, height=50)
    step = make.step(name="a", makes={"a": far}, needs={"dn:red": Need()})
    graph = resolve(make.pipeline(step, assets=("a",)), scene)
    with pytest.raises(GeometryError, match="a band does not cover the product's grid"):
        demand(graph, {"a": far.window})


def test_cpu_time_is_booked_by_stage(make: Any, scene: Scene) -> None:
    step = make.step(name="a", makes={"a": scene.reference}, needs={"dn:red": Need()})
    graph, clock = resolve(make.pipeline(step, assets=("a",)), scene), Clock()
    evaluate(graph, {"a": Window(0, 0, 5, 5)}, read=_reader(scene, []), supplies=Supplies(), clock=clock)
    assert set(clock.seconds) == {"read", "resample", "a"}
    assert all(s >= 0 for s in clock.seconds.values())


def test_the_hull_holds_all_windows() -> None:
    assert hull([Window(5, 9, 2, 2), Window(1, 10, 3, 30)]) == Window(1, 9, 6, 31)
