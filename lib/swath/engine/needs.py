"""What a product needs before it is made: memory of a child, and room at most."""

from swath.engine.cut import Cut
from swath.engine.graph import Call
from swath.engine.product_plan import ProductPlan
from swath.grid import Grid
from swath.mapping import pixels_across
from swath.product import LayerSpec

#: A child with Python, NumPy, GDAL and compiled kernels that has made a small scene, and what JPEG 2000 takes besides [MiB]
#: (docs/benchmarks.md).
CHILD_MB, JPEG2000_MB = 200.0, 140.0
#: What arrays take beside those that are counted.
SLACK = 1.2


def raw_bytes(plan: ProductPlan) -> int:
    """Size of all assets before compression [bytes]: an upper bound of the output."""
    outputs = plan.graph.outputs.values()
    return sum(s.grid.width * s.grid.height * (1 if s.encoding.dtype == "uint8" else 2) for s in outputs)


def peak_mb(plan: ProductPlan, *, strip_rows: int | None) -> float:
    """Peak resident size of the child that makes a strip [MiB]: layers of the greediest call, rows that overviews gather."""
    cut, scene = plan.cut(rows=strip_rows, split=True), plan.graph.scene
    layers = max(_call_bytes(call, cut) for call in plan.graph.calls)
    bands = sum(2 * _piece_pixels(asset.grid, cut) for asset in scene.assets.values())
    tables = len(scene.assets) * 65536 * 8 * 3
    rows = sum(_gathered_bytes(spec, cut) for spec in plan.graph.outputs.values())
    jpeg2000 = JPEG2000_MB if any(a.href.lower().endswith(".jp2") for a in scene.assets.values()) else 0.0
    return CHILD_MB + jpeg2000 + SLACK * (layers + bands + tables + rows) / (1 << 20)


def _piece_pixels(grid: Grid, cut: Cut) -> float:
    down, across = pixels_across(cut.frame.grid, grid)
    return cut.piece[0] * down * cut.piece[1] * across


def _call_bytes(call: Call, cut: Cut) -> float:
    """Physical values, 8 bytes each, of what a call reads and makes."""
    return 8 * (len(call.reads) + len(call.recipe.makes)) * _piece_pixels(call.recipe.grid, cut)


def _gathered_bytes(spec: LayerSpec, cut: Cut) -> float:
    """Full-width rows of one asset: of a piece and of the next level where sides are odd, of that level's quarter otherwise."""
    grid = spec.grid
    rows = cut.piece[0] * pixels_across(cut.frame.grid, grid)[0]
    whole = 2 * rows * grid.width
    return whole / 16 if grid.height % 4 == grid.width % 4 == 0 else 1.5 * whole
