"""Networks that look around are judged on frozen samples with the answers that a run gives at their places."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.unit.inference.test_networks import BANDS, CONVOLUTIONAL, HALO, SCENE, WHOLE_PATCH, manifest, part, predictor, scene

from swath.errors import ConfigError
from swath.grid import Window
from swath.inference.digest import model_digest
from swath.inference.pinned import PinnedModel
from swath.training.frozen import FrozenSamples
from swath.training.gate import Bounds, compare
from swath.training.surroundings import Surroundings
from swath.training.tiles import LabelledTiles

SIDE, SCALE, OFFSET = 32, 2.0, 0.1
#: Rows and columns of labelled pixels: in the middle, at an edge of the scene, beside pixels without a value.
PLACES = ((40, 40), (41, 100), (0, 0), (130, 156), (31, 64), (96, 3))


def samples() -> pd.DataFrame:
    rows, cols = zip(*PLACES, strict=True)
    labels = ["c0", "c1", "c2", "c0", "c1", "c2"]
    ids = [f"p{n}" for n in range(len(PLACES))]
    values = {band: scene()[n, rows, cols] for n, band in enumerate(BANDS)}
    return pd.DataFrame({"scene_id": "s", "polygon_id": ids, "label": labels, "row": rows, "col": cols, **values})


def tiles(margin: int) -> LabelledTiles:
    """The squares of the scene that hold the samples, as ``tiles_of`` reads them."""
    origins = sorted({(row // SIDE * SIDE, col // SIDE * SIDE) for row, col in PLACES})
    features = []
    for row, col in origins:
        wanted = Window(row, col, SIDE, SIDE).pad(margin)
        taken = np.full((len(BANDS), *wanted.shape), np.nan, dtype=np.float32)
        there = wanted.clip(SCENE)
        taken[:, *wanted.slices_of(there)] = scene()[:, *SCENE.slices_of(there)]
        features.append(taken)
    none = np.full((len(origins), SIDE, SIDE), -1)
    return LabelledTiles(
        features=np.stack(features), truth=none.astype(np.int16), polygon=none.astype(np.int32), polygons=(), margin_px=margin,
        scenes=("s",) * len(origins), origins=np.array(origins), extents=np.full((len(origins), 2), SCENE.shape),
    )  # fmt: skip


def frozen(margin: int) -> FrozenSamples:
    drawn = samples()
    return FrozenSamples(
        of="toa", bands=BANDS, physical=drawn[list(BANDS)].to_numpy(dtype=np.float64), labels=drawn["label"].to_numpy(dtype=str),
        polygons=drawn["polygon_id"].to_numpy(dtype=str), around=Surroundings.of(drawn, tiles(margin), scale=1.0, offset=0.0),
    )  # fmt: skip


def test_tiles_keep_values_before_scale_and_offset() -> None:
    kept = Surroundings.of(samples(), tiles(4), scale=SCALE, offset=OFFSET)
    assert np.nanmax(np.abs(kept.physical * SCALE + OFFSET - tiles(4).features)) < 1e-7
    square = kept.physical[kept.places[0, 0]]
    at = (40 % SIDE + 4, 40 % SIDE + 4)
    assert square[:, *at] * SCALE + OFFSET == pytest.approx(scene()[:, 40, 40])


@pytest.mark.parametrize(("network", "halo_px", "margin"), [(CONVOLUTIONAL, HALO, 4), ({**WHOLE_PATCH, "taper": 0.4}, 0, 47)])
def test_answers_are_those_of_a_run_over_the_scene(tmp_path: Path, network: dict[str, object], halo_px: int, margin: int) -> None:
    net, reach = predictor(tmp_path, network, halo_px=halo_px, pooled=not halo_px)
    whole = part(scene(), SCENE, by=net, margin=reach)
    found = frozen(margin)
    assert found.around is not None
    assert found.lack_for(manifest(network, halo_px=halo_px)) == ""
    answers = found.around.answers(net, manifest(network, halo_px=halo_px), bands=BANDS)
    rows, cols = zip(*PLACES, strict=True)
    assert np.abs(answers - whole[:, rows, cols]).max() < 1e-6


def test_a_file_keeps_the_surroundings_and_gives_equal_bytes(tmp_path: Path) -> None:
    kept = frozen(4)
    (tmp_path / "frozen.npz").write_bytes(kept.to_bytes())
    read = FrozenSamples.from_file(tmp_path / "frozen.npz")
    assert read.to_bytes() == kept.to_bytes()
    assert read.around is not None
    assert (read.around.margin_px, read.around.places[:, 1:].tolist()) == (4, [list(place) for place in PLACES])


def test_a_model_that_looks_further_than_the_margin_is_refused_by_name(tmp_path: Path) -> None:
    made = manifest(CONVOLUTIONAL, halo_px=HALO)
    predictor(tmp_path, CONVOLUTIONAL, halo_px=HALO, pooled=False)
    (tmp_path / "manifest.json").write_text(made.to_json(), encoding="utf-8")
    model = PinnedModel(name="net", version="2", digest=model_digest(tmp_path), path=tmp_path, manifest=made)
    assert frozen(3).lack_for(made) == "it looks 4 px around a pixel, and the frozen samples hold 3 px"
    with pytest.raises(ConfigError, match="model net 2 cannot be judged: it looks 4 px around a pixel"):
        compare(model, model, samples=frozen(3), bounds=Bounds())
    verdict = compare(model, model, samples=frozen(4), bounds=Bounds())
    assert (verdict.against, verdict.numbers["pixels"]) == ((), len(PLACES))
