"""The radiometric guard over real scenes: ``PYTHONPATH=lib python -m benchmarks.guard FOLDER...`` prints its counts as Markdown.

Every Level-1 scene of Sentinel-2 and Landsat below the folders is judged as delivered, and with its metadata changed:
an offset that is missed (0.1 too bright), one that is applied twice or that no pixel has (0.1 too dark), and one with the
wrong sign (0.2 too bright). A false alarm is a delivered scene that is contradicted; an injected one is found when it is.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from swath.algo.darkest import merged
from swath.algo.radiometric_guard import GuardVerdict, judge
from swath.config import load_pipeline, prepare
from swath.engine.checks import geometry_of
from swath.engine.child.tasks import perform
from swath.errors import SceneError, SwathError
from swath.inference.registry import Registry
from swath.plain import canonical
from swath.readers.discover import discover
from swath.readers.registry import read_scene
from swath.scene import Reflectance, Scene
from swath.sensors import SENSORS, SENTINEL2_MSI

#: What is done to the offsets of a scene: reflectance as delivered, added to each.
#: Sensors whose products have such an offset; TM and ETM+ have others, a few thousandths.
OFFSET_FAMILIES: Final = (SENTINEL2_MSI, "landsat-oli")
INJECTED: Final[Mapping[str, float]] = {"missed": 0.1, "doubled or false": -0.1, "wrong sign": 0.2}
AS_DELIVERED: Final = "as delivered"
_REGISTRY: Registry = None  # type: ignore[assignment]  # the pipeline names no model


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One scene and what the guard says of it.

    Args:
        scene_id: Id of the scene.
        sensor: Its family.
        cirrus: Whether the guard had the cirrus band.
        verdicts: By what was done to the scene.
    """

    scene_id: str
    sensor: str
    cirrus: bool
    verdicts: Mapping[str, GuardVerdict]


def level1_scenes(folders: Sequence[str]) -> Iterator[Scene]:
    """Scenes of sensors that the guard knows, each once; what cannot be read is passed over."""
    known: set[str] = set()
    for href in discover(folders):
        try:
            scene = read_scene(href)
        except SwathError:
            continue
        if scene.family in SENSORS and scene.digest not in known:
            known.add(scene.digest)
            yield scene


def judged(scene: Scene) -> Judged | None:
    """What the guard says of a scene, delivered and changed; None where the scene makes no product."""
    pipeline = canonical(dict(prepare(load_pipeline("toa"), registry=_REGISTRY).plain))
    verdicts: dict[str, GuardVerdict] = {}
    injected = INJECTED if scene.family in OFFSET_FAMILIES else {}
    for name, added in {AS_DELIVERED: 0.0, **injected}.items():
        try:
            verdicts[name] = _verdict(_shifted(scene, added), pipeline=pipeline)
        except SceneError:
            return None
    bands = {m.band for m in verdicts[AS_DELIVERED].measured}
    return Judged(scene_id=scene.scene_id, sensor=scene.family, cirrus="cirrus" in bands, verdicts=verdicts)


def _shifted(scene: Scene, added: float) -> Scene:
    assets = {
        name: replace(asset, calibration=replace(asset.calibration, offset=asset.calibration.offset + added))
        if isinstance(asset.calibration, Reflectance)
        else asset
        for name, asset in scene.assets.items()
    }
    return replace(scene, assets=assets)


def _verdict(scene: Scene, *, pipeline: str) -> GuardVerdict:
    with tempfile.TemporaryDirectory(prefix="swath-guard-") as output:
        request: dict[str, Any] = {
            "op": "strip", "scene": scene.to_json(), "scene_id": scene.scene_id, "pipeline": pipeline, "output": output,
            "folder": ".scratch/x", "split": False, "strip_rows": None, "strip": 0, "pictures": False,
        }  # fmt: skip
        dark = perform(request)["dark"]
    counts = merged([{band: {int(k): n for k, n in found.items()} for band, found in dark.items()}])
    return judge(counts, geometry=geometry_of(scene, pressure_hpa=scene.atmosphere.get("pressure_hpa")))


def table(found: Sequence[Judged]) -> str:
    """The counts: rows by what was done, columns by verdict, with and without the cirrus band."""
    lines = ["| scenes | cirrus band | agrees | cannot tell | contradicts |", "|---|---|---|---|---|"]
    for name in (AS_DELIVERED, *INJECTED):
        for cirrus in (True, False):
            counted = Counter(j.verdicts[name].outcome for j in found if j.cirrus == cirrus and name in j.verdicts)
            numbers = " | ".join(str(counted[o]) for o in ("agrees", "cannot tell", "contradicts"))
            lines.append(f"| {name} | {'read' if cirrus else 'not read'} | {numbers} |")
    return "\n".join(lines)


def main() -> None:
    """Print the counts, and what was not as it must be."""
    found = [j for j in map(judged, level1_scenes(sys.argv[1:] or ["../shared/scenes", "../shared/field"])) if j is not None]
    sys.stdout.write(f"{len(found)} scenes\n\n{table(found)}\n\n")
    for j in found:
        told = {name: f"{v.outcome} ({v.why})" for name, v in j.verdicts.items()}
        sys.stdout.write(f"{j.scene_id} {j.sensor} {'cirrus' if j.cirrus else '-'}: {told}\n")


if __name__ == "__main__":
    main()
