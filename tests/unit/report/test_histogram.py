"""Histograms as paths: the axis, the ticks, the steps."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.product import REFLECTANCE, TEMPERATURE, Encoding, Statistics, Tally
from swath.report.histogram import BASE, TOP, WIDTH, axis_of, plot_groups, ticks_of
from swath.report.summary import RunSummary


def tallied(values: list[int], encoding: Encoding = REFLECTANCE) -> Statistics:
    tally = Tally(encoding)
    tally.add(np.array([values], dtype=encoding.dtype))
    return tally.statistics()


@given(low=st.floats(-1, 400), width=st.floats(1e-3, 1e4))
def test_ticks_are_few_round_and_on_the_axis(low: float, width: float) -> None:
    ticks = ticks_of((low, low + width))
    assert 2 <= len(ticks) <= 6
    assert all(0.0 <= t.x <= WIDTH for t in ticks)
    steps = np.diff([float(t.text) for t in ticks])
    assert np.allclose(steps, steps[0])
    assert [round((float(t.text) - low) / width * WIDTH) for t in ticks] == pytest.approx([t.x for t in ticks], abs=1.1)


def test_a_path_steps_from_the_baseline_to_the_peak_and_back(summary: RunSummary) -> None:
    groups = plot_groups(summary.products[0].assets)
    assert [g.title for g in groups] == ["Reflectance", "Brightness temperature [K]", "Probability [%]"]
    for plot in (p for g in groups for p in g.plots):
        numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", plot.path)]
        x, y = numbers[::2], numbers[1::2]
        assert plot.path.endswith("Z")
        assert (y[0], y[-1]) == (BASE, BASE)
        assert min(y) == TOP
        assert max(y) == BASE
        assert min(x) >= 0.0
        assert max(x) <= WIDTH
        assert plot.ticks


def test_plots_of_a_group_share_their_axis(summary: RunSummary) -> None:
    reflectance = plot_groups(summary.products[0].assets)[0]
    assert len({p.ticks for p in reflectance.plots}) == 1
    assert "qa" not in {p.name for p in reflectance.plots}


def test_the_mean_is_in_physical_units(summary: RunSummary) -> None:
    red = next(a for a in summary.products[0].assets if a.name == "red")
    plot = next(p for p in plot_groups([red])[0].plots)
    assert red.statistics.mean is not None
    assert float(plot.mean) == pytest.approx(red.statistics.mean * 1e-4, abs=5e-5)


def test_the_axis_leaves_the_tails_off() -> None:
    values = [1000] * 990 + [30000] * 5 + [-9000] * 5
    low, high = axis_of([(REFLECTANCE, tallied(values))])
    assert low == pytest.approx(0.096)
    assert high == pytest.approx(0.1024)


def test_reflectance_beyond_one_is_left_off() -> None:
    assert axis_of([(REFLECTANCE, tallied([200, 15000]))])[1] == 1.0
    assert axis_of([(TEMPERATURE, tallied([200, 15000], TEMPERATURE))])[1] > 149.0


def test_nothing_valid_has_an_axis_and_no_path() -> None:
    nothing = Statistics(count=4)
    assert axis_of([(TEMPERATURE, nothing)]) == (0.0, 1.0)
