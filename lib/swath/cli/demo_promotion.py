"""What the demo shows of versions: a refused promotion, a challenger in the shadow, its promotion, traces both ways."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from swath.cli.models_trace import of_digest, of_item
from swath.inference.registry import Registry
from swath.report.summary import RunSummary
from swath.training.candidate import ModelCandidate, NotPromotedError, give_alias
from swath.training.draw import Drawn
from swath.training.recipe import ForestSettings, TrainingRecipe
from swath.training.train import train

Say = Callable[[str], None]
CHALLENGER = "challenger"
#: Share of the polygons that no version learns: versions are compared on them.
FROZEN = 0.2


def show_candidates(drawn: Drawn, *, recipe: TrainingRecipe, registry: Registry, say: Say) -> str:
    """Train a version that the gate refuses and one that becomes the challenger; the reference to the challenger.

    Args:
        drawn: Samples of the scenes.
        recipe: Recipe of the version in use; both are judged once, for the demo is short.
        registry: Registry of the demo.
        say: Hears of each step.
    """
    quick = replace(recipe, splits=1)
    stump = train(drawn, recipe=replace(quick, forest=ForestSettings(trees=1, leaves=2)), registry=registry, alias="production")
    say(f"refused a version of one tree a class as production: {stump.not_promoted}")
    larger = replace(recipe.forest, trees=recipe.forest.trees + 10)
    other = train(drawn, recipe=replace(quick, forest=larger), registry=registry, alias=CHALLENGER)
    say(f"registered {other.model.name}@{CHALLENGER}: version {other.model.version}, {larger.trees} trees a class")
    return f"{other.model.name}@{CHALLENGER}"


def show_promotion(summary: RunSummary, *, output: Path, say: Say) -> None:
    """Promote the challenger by the same gate, and trace a product to its model and the model to its products.

    Args:
        summary: Summary of the run in whose shadow the challenger ran.
        output: Folder of the demo's output.
        say: Hears of each step.
    """
    for shadow in summary.shadows:
        model = shadow.challenger
        candidate = ModelCandidate(name=model.name, version=model.version)
        try:
            moved = give_alias(Registry.beside(output), candidate, say=say)
            say(f"promoted: {moved.name}@production is version {moved.version} now, @previous is {shadow.champion.version}")
        except NotPromotedError as error:
            say(f"not promoted: {error}")
    made = next((p for p in summary.products if p.models), None)
    if made is None:
        return
    for model in of_item(f"{output}/{made.item}", output=output)["models"]:
        scenes = (model["training"] or {}).get("scenes", [])
        called = f"{model['name']} {model['version']} ({', '.join(model['assets'])})"
        say(f"traced {made.product_id} to {called}, trained on {len(scenes)} scenes")
    champion = summary.shadows[0].champion if summary.shadows else made.models[0]
    products = of_digest(champion.digest, outputs=(str(output),), output=output)["products"]
    say(f"traced {champion.name} {champion.version}, sha256 {champion.digest[:12]}, to {len(products)} products")
