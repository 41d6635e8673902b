"""Composites against known ground: what is made of many cloudy dates is nearer to it than one date where it is clear."""

from pathlib import Path

from benchmarks.composite_truth import BANDS, REDUCERS, compare


def test_every_composite_is_nearer_to_the_ground_than_one_date(tmp_path: Path) -> None:
    """A small form of ``python -m benchmarks --only composites``: 12 dates of 60 % cloud, each under air of its own."""
    one, *composites = compare(tmp_path, size=48, dates=12)
    assert len(composites) == len(REDUCERS)
    assert one.covered < 0.3
    for made in composites:
        assert made.covered > 2.0 * one.covered, made.name
        for band in BANDS:
            assert made.rmse[band] < one.rmse[band], (made.name, band)
    best = next(made for made in composites if "best-pixel" in made.name)
    # It looks for the least haze, which is most of the error here; statistics only average it.
    assert all(best.rmse[band] < 0.6 * one.rmse[band] for band in BANDS)
