"""Outcomes of scenes as far as they tell of a broken installation. Without Spark: the driver's own children are counted too."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from swath.engine.blame import signature_of
from swath.errors import InternalError

#: Scenes by step and signature; the empty signature is any other outcome, and holds no scenes.
Outcomes = dict[tuple[str, str], frozenset[str]]
_OTHER: Final = ""


def outcome(request: Mapping[str, Any], answer: Mapping[str, Any]) -> Outcomes:
    """What one answer tells."""
    refused = answer.get("refused") or answer.get("unfit") or {}
    if refused.get("class") != InternalError.error_class:
        return {(request["op"], _OTHER): frozenset()}
    scene = str(request.get("scene_id") or request.get("href", ""))
    return {(request["op"], signature_of(refused["message"])): frozenset({scene})}


def together(first: Outcomes, second: Outcomes) -> Outcomes:
    """A new value, because another thread may be reading the old one; a scene reported twice counts once."""
    return {**first, **{key: first.get(key, frozenset()) | scenes for key, scenes in second.items()}}


def broken(told: Outcomes, *, limit: int) -> str:
    """What is broken; empty when nothing is.

    Args:
        told: Outcomes so far.
        limit: Scenes that may end by unexpected errors: as the first ones of a step, or by one and the same error; 0
            for any number.
    """
    if not limit:
        return ""
    by_error: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    by_step: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for (step, signature), scenes in told.items():
        if signature != _OTHER:
            by_error[signature] |= scenes
            by_step[step] |= scenes
    for signature, scenes in by_error.items():
        if len(scenes) >= limit:
            return _message(f"{len(scenes)} scenes ended by the same unexpected error: {signature}")
    for step, scenes in by_step.items():
        if len(scenes) >= limit and (step, _OTHER) not in told:
            errors = sorted({s for t, s in told if t == step})
            return _message(
                f"all of the first {len(scenes)} scenes ended, at {step}, by unexpected errors: {errors[0]}"
                f" and {len(errors) - 1} others"
            )
    return ""


def _message(what: str) -> str:
    return (
        f"{what}. The installation is probably broken (a library, a plug-in, a model), or this is a bug; these scenes were not "
        "put into quarantine. Repair it, or allow more such scenes by --internal-limit N (0: any number)"
    )
