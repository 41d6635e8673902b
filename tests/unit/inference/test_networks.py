"""Networks with neighbourhoods: no cut of a scene shows in an answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.onnx_bytes import field, model, node, outside, port, unet

from swath.errors import ConfigError
from swath.grid import Window
from swath.inference.admission import AdmissionTerms, findings_of
from swath.inference.loader import predictor_of
from swath.inference.manifest import Manifest, read_manifest
from swath.inputs import Predictor
from swath.place import Place

BANDS, CLASSES, PATCH = ("red", "nir08"), 3, 48
#: By the convolution of the half-size grid, the pooling before it and the convolution before that.
HALO = 4
SCENE = Window(0, 0, 131, 157)
CONVOLUTIONAL = {"reach": "convolutional", "patch_px": PATCH, "align_px": 2}
WHOLE_PATCH = {"reach": "patch", "patch_px": PATCH, "align_px": 38, "anchor_px": -10}
KINDS = [
    (CONVOLUTIONAL, HALO, 0),
    ({**WHOLE_PATCH, "taper": 0.4}, 0, 1),
    ({**WHOLE_PATCH, "edge": "symmetric"}, 0, 1),
]


def manifest(network: dict[str, Any], *, halo_px: int = 0) -> Manifest:
    plain = {
        "format": 1, "name": "net", "kind": "onnx", "weights": "net.onnx", "bands": list(BANDS), "of": "toa", "licence": "MIT",
        "halo_px": halo_px,
        "classes": [{"value": n, "name": f"c{n}", "title": f"C{n}"} for n in range(CLASSES)],
        "network": {"activation": "softmax", "normalise": {"mean": [0.2, 0.3], "std": [0.1, 0.2]}, **network},
    }  # fmt: skip
    return Manifest.from_plain(plain)


def predictor(folder: Path, network: dict[str, Any], *, halo_px: int, pooled: bool) -> tuple[Predictor, int]:
    made = manifest(network, halo_px=halo_px)
    (folder / "net.onnx").write_bytes(unet(bands=len(BANDS), classes=CLASSES, side=PATCH, pooled=bool(pooled)))
    return predictor_of(folder, made), made.margin_px


def scene() -> NDArray[np.float32]:
    made = np.random.default_rng(5).uniform(0.0, 0.6, (len(BANDS), *SCENE.shape)).astype(np.float32)
    made[:, 20:30, 40:90] = np.nan
    return made


def part(whole: NDArray[np.float32], wanted: Window, *, by: Predictor, margin: int, grid: Window = SCENE) -> NDArray[np.float32]:
    given = wanted.pad(margin).clip(grid)
    features = np.ascontiguousarray(whole[:, *grid.slices_of(given)])
    return by.predict(features, place=Place(given=given, wanted=wanted, grid=grid))


@pytest.mark.parametrize(("network", "halo_px", "pooled"), KINDS)
def test_pieces_of_any_size_have_the_answers_of_the_whole(
    tmp_path: Path, network: dict[str, Any], halo_px: int, pooled: int
) -> None:
    net, margin = predictor(tmp_path, network, halo_px=halo_px, pooled=bool(pooled))
    whole = part(scene(), SCENE, by=net, margin=margin)
    assert np.abs(whole.sum(axis=0) - 1.0).max() < 1e-5
    for rows, cols in ((1, 157), (17, 29), (64, 64), (131, 50)):
        found = np.empty_like(whole)
        for row in range(0, SCENE.height, rows):
            for col in range(0, SCENE.width, cols):
                wanted = Window(row, col, rows, cols).clip(SCENE)
                found[:, *SCENE.slices_of(wanted)] = part(scene(), wanted, by=net, margin=margin)
        assert np.array_equal(found, whole)


@pytest.mark.parametrize(("network", "halo_px", "pooled"), KINDS)
def test_a_crop_at_a_multiple_of_align_px_has_the_answers_of_the_scene(
    tmp_path: Path, network: dict[str, Any], halo_px: int, pooled: int
) -> None:
    net, margin = predictor(tmp_path, network, halo_px=halo_px, pooled=bool(pooled))
    align = network["align_px"]
    whole = part(scene(), SCENE, by=net, margin=margin).argmax(axis=0)
    crop = Window(align, align, SCENE.height - align, SCENE.width - align)
    found = part(
        np.ascontiguousarray(scene()[:, *SCENE.slices_of(crop)]), Window(0, 0, *crop.shape), by=net, margin=margin,
        grid=Window(0, 0, *crop.shape),
    ).argmax(axis=0)  # fmt: skip
    # At its own edge the crop does not know what the scene has there.
    inner = Window(margin, margin, crop.height - margin, crop.width - margin)
    assert np.array_equal(found[margin:, margin:], whole[SCENE.slices_of(crop)][margin:, margin:])
    assert inner.height > 0


def test_the_size_of_a_patch_changes_no_answer_of_a_convolutional_network(tmp_path: Path) -> None:
    answers = []
    for side in (PATCH, 64):
        network = manifest({**CONVOLUTIONAL, "patch_px": side}, halo_px=HALO)
        (tmp_path / "net.onnx").write_bytes(unet(bands=len(BANDS), classes=CLASSES, side=side))
        net = predictor_of(tmp_path, network)
        answers.append(part(scene(), SCENE, by=net, margin=network.margin_px))
    assert np.abs(answers[0] - answers[1]).max() < 1e-5


def test_a_scene_smaller_than_a_patch_has_an_answer(tmp_path: Path) -> None:
    net, _ = predictor(tmp_path, KINDS[2][0], halo_px=0, pooled=True)
    assert net.predict(np.ascontiguousarray(scene()[:, :9, :11])).shape == (CLASSES, 9, 11)


def test_a_manifest_with_a_network_survives_its_file(tmp_path: Path) -> None:
    made = manifest(CONVOLUTIONAL, halo_px=HALO)
    (tmp_path / "manifest.json").write_text(made.to_json(), encoding="utf-8")
    assert read_manifest(tmp_path) == made


@pytest.mark.parametrize(
    ("network", "halo_px", "told"),
    [
        ({**CONVOLUTIONAL, "patch_px": 49}, HALO, "patch_px must be a multiple of align_px"),
        (CONVOLUTIONAL, 30, "leaves nothing between two margins of 30 px"),
        (WHOLE_PATCH, 3, "halo_px is for convolutional networks"),
        ({**WHOLE_PATCH, "anchor_px": 1}, 0, "anchor_px must be in"),
        ({**WHOLE_PATCH, "align_px": 4, "anchor_px": 0}, 0, "anchor_px 0 leaves the first pixels without an answer"),
        (
            {**WHOLE_PATCH, "align_px": 4, "anchor_px": 0, "taper": 0.5},
            0,
            "anchor_px 0 leaves the first pixels without an answer",
        ),
        ({**WHOLE_PATCH, "normalise": {"mean": [0.0], "std": [1.0, 1.0]}}, 0, r"normalise\.mean must have 2 numbers"),
        ({**WHOLE_PATCH, "normalise": {"mean": [0.0, 0.0], "std": [1.0, 0.0]}}, 0, r"normalise\.std must be positive"),
        ({**WHOLE_PATCH, "activation": "sigmoid"}, 0, "a sigmoid decides between 2 classes"),
        ({**WHOLE_PATCH, "layout": "NHWC"}, 0, "layout must be NCHW"),
        ({**WHOLE_PATCH, "pad": 3}, 0, "unknown key 'pad' in a network of a model manifest"),
    ],
)
def test_a_network_that_contradicts_itself_is_refused(network: dict[str, Any], halo_px: int, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        manifest(network, halo_px=halo_px)


def test_a_network_of_another_patch_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(unet(bands=2, classes=CLASSES, side=32))
    with pytest.raises(ConfigError, match=r"must take float32 \(1, 2, 48, 48\)"):
        predictor_of(tmp_path, manifest(CONVOLUTIONAL, halo_px=HALO))


def findings(folder: Path, network: bytes, made: Manifest) -> str:
    folder.mkdir()
    (folder / "net.onnx").write_bytes(network)
    (folder / "manifest.json").write_text(made.to_json(), encoding="utf-8")
    (folder / "card.md").write_text("# Net\n", encoding="utf-8")
    return "; ".join(f.problem for f in findings_of(folder, terms=AdmissionTerms()) if f.grave)


def test_a_manifest_that_promises_too_small_a_halo_is_refused(tmp_path: Path) -> None:
    whole = unet(bands=len(BANDS), classes=CLASSES, side=PATCH)
    assert findings(tmp_path / "right", whole, manifest(CONVOLUTIONAL, halo_px=HALO)) == ""
    told = findings(tmp_path / "small", whole, manifest(CONVOLUTIONAL, halo_px=HALO - 2))
    assert f"depends on pixels {HALO} px away, the manifest promises a halo of {HALO - 2} px" in told
    pooled = unet(bands=len(BANDS), classes=CLASSES, side=PATCH, pooled=True)
    assert "the manifest promises a halo of 4 px" in findings(tmp_path / "pooled", pooled, manifest(CONVOLUTIONAL, halo_px=HALO))
    assert findings(tmp_path / "patch", pooled, manifest(WHOLE_PATCH)) == ""


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda n: n[:-1] + b"\x30", "takes version 48 of the operators ai.onnx; versions 7 to 23 run"),
        (lambda n: n.replace(b'"\x04Relu', b'"\x04Loop'), "its operator Loop runs a graph as often as the data say"),
        (lambda n: n.replace(b'"\x04Relu', b'"\x04Relu:\x03own'), "is not an ONNX file"),
        (lambda n: n[:500], "is not an ONNX file: cut at byte"),
    ],
)
def test_what_a_network_may_not_hold_is_refused(tmp_path: Path, broken: Callable[[bytes], bytes], told: str) -> None:
    network = broken(unet(bands=len(BANDS), classes=CLASSES, side=PATCH))
    assert told in findings(tmp_path / "net", network, manifest(CONVOLUTIONAL, halo_px=HALO))


def test_numbers_in_another_file_and_operators_of_others_are_refused(tmp_path: Path) -> None:
    nodes = [node("Own", ["x", "w"], "scores") + field(7, "com.example")]
    given, made = port("x", 1, 2, PATCH, PATCH), port("scores", 1, CLASSES, PATCH, PATCH)
    network = model(nodes, [outside("w", (2,), location="weights.bin")], given=given, made=made)
    told = findings(tmp_path / "net", network, manifest(WHOLE_PATCH))
    assert "keeps numbers in another file" in told
    assert "its operator Own is of the domain 'com.example'" in told
