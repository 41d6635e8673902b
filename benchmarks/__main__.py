"""``python -m benchmarks [--only NAME]... [--size N] [--repeats N]``: what ``make bench`` prints, as Markdown."""

import argparse
from collections.abc import Callable, Mapping
from time import monotonic

from benchmarks import chain, cog_cost, composite_truth, jpeg2000, scaling, small, stack_median

FULL = 10_980


def _chain(size: int, repeats: int) -> str:
    return chain.table(chain.measure(size, repeats=repeats))


def _cog(size: int, repeats: int) -> str:
    return cog_cost.measure(size, repeats=repeats, cases=((1, 6), (1, 1), (4, 6), (4, 1)))


def _codecs(size: int, repeats: int) -> str:
    del repeats
    return cog_cost.codecs(size)


#: By name: title, the measurement, and its size and repeats in a run of about ten minutes on two idle cores.
BENCHMARKS: Mapping[str, tuple[str, Callable[[int, int], str], int, int]] = {
    "chain": ("The chain against a bare loop", _chain, FULL, 2),
    "small": ("Many small scenes against a bare loop", small.measure, 512, 2),
    "again": ("Full scenes, and a second run over them", small.second_run, FULL, 1),
    "cog": ("One file against GDAL's COG driver", _cog, FULL, 1),
    "codecs": ("Block codecs", _codecs, FULL, 1),
    "jpeg2000": ("JPEG 2000: strips against whole bands", jpeg2000.measure, 5490, 1),
    "composites": ("Composites of 30 cloudy dates against known ground", composite_truth.measure, 128, 30),
    "stack": ("The median of 40 cloudy dates against odc-stac, xarray and dask", stack_median.measure, 2745, 1),
    "scaling": ("One core against two; memory by size of the scene", scaling.measure, FULL, 1),
}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS), help="run this one; may be repeated")
    parser.add_argument("--size", type=int, help="pixels a side of the scenes")
    parser.add_argument("--repeats", type=int, help="interleaved runs")
    options = parser.parse_args()
    for name in options.only or BENCHMARKS:
        title, measure, size, repeats = BENCHMARKS[name]
        since = monotonic()
        print(f"## {title}\n\n{measure(options.size or size, options.repeats or repeats)}\n")
        print(f"({name}: {monotonic() - since:.0f} s on the clock)\n", flush=True)


if __name__ == "__main__":
    main()
