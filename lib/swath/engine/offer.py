"""Which of the layers that steps offer of a scene a product writes: by the asset rules of its pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from swath.errors import MissingBandError, SceneError
from swath.layer_name import LayerId
from swath.pipeline import AssetRule, Pipeline
from swath.product import LayerName, LayerSpec
from swath.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Layers that steps can make of a scene.

    Args:
        specs: Layers by name, in the order of the steps.
        failures: Reasons why no layer of a kind can be made, by kind.
    """

    specs: Mapping[LayerName, LayerSpec]
    failures: Mapping[str, SceneError]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenLayers:
    """What a product writes.

    Args:
        outputs: Layers by asset key.
        left_out: Reasons why assets are not written, by asset key or layer kind.
    """

    outputs: Mapping[str, LayerSpec]
    left_out: Mapping[str, str]


def chosen_layers(pipeline: Pipeline, *, scene: Scene, offer: Offer) -> ChosenLayers:
    """Choose among the layers that steps offer.

    Args:
        pipeline: The pipeline.
        scene: The scene.
        offer: Its layers.

    Raises:
        SceneError: A required layer is not there: the reason why.
        MissingBandError: Nothing is there that the pipeline writes.
    """
    chosen: dict[LayerName, LayerSpec] = {}
    left_out = dict(scene.left_out)
    for rule in pipeline.assets:
        first, *others = rule.layers.split("|")
        found = _matching(first, offer.specs)
        if not found:
            reason = offer.failures.get(LayerId.of(first).kind) or _absent(first, scene)
            found = _stand_in(others, offer)
            if _demanded(rule, first, scene=scene) and not found:
                raise reason
            left_out.setdefault(first, _in_words(reason))
        chosen.update(found)
    if not chosen:
        raise MissingBandError(
            f"the scene gives nothing that {pipeline.name} writes",
            expected=", ".join(r.layers for r in pipeline.assets),
            got=f"bands {', '.join(sorted(scene.assets))}",
            remedy="Choose a pipeline that fits the sensor.",
        )
    return ChosenLayers(outputs=_named(chosen), left_out=left_out)


def _stand_in(others: list[str], offer: Offer) -> dict[LayerName, LayerSpec]:
    """The first of other layers that is there, with its own name: TOA must never be taken for surface reflectance."""
    found = next((m for other in others if (m := _matching(other, offer.specs))), {})
    return {n: replace(s, asset=f"{LayerId.of(n).kind}_{s.asset}") for n, s in found.items()}


def _demanded(rule: AssetRule, layers: LayerName, *, scene: Scene) -> bool:
    return rule.required or (rule.promised and LayerId.of(layers).band in scene.left_out)


def _matching(wanted: str, specs: Mapping[LayerName, LayerSpec]) -> dict[LayerName, LayerSpec]:
    """Layers that a layer's name or a kind means."""
    return {n: s for n, s in specs.items() if LayerId.of(n).fits(wanted)}


def _absent(layers: str, scene: Scene) -> SceneError:
    band = LayerId.of(layers).band
    bands = ", ".join(sorted(scene.assets))
    if not band:
        return MissingBandError(f"the scene has no bands that {layers} is made of", got=f"bands {bands}")
    why = f"Band {band}: {scene.left_out[band]}. " if band in scene.left_out else ""
    return MissingBandError(
        f"no {layers} can be made",
        expected=f"band {band}",
        got=f"bands {bands}",
        remedy=f"{why}Deliver the missing band, or choose a pipeline that does not need it.",
        scene_id=scene.scene_id,
    )


def _in_words(error: SceneError) -> str:
    return str(error).removeprefix(f"{error.scene_id}: ")


def _named(chosen: Mapping[LayerName, LayerSpec]) -> dict[str, LayerSpec]:
    """Specs by asset key; when two layers want the same key, the later one keeps it and the earlier gets its kind as a prefix."""
    named: dict[str, LayerSpec] = {}
    for spec in reversed(list(chosen.values())):
        key = spec.asset if spec.asset not in named else f"{LayerId.of(spec.name).kind}_{spec.asset}"
        named[key] = replace(spec, asset=key)
    return dict(reversed(list(named.items())))
