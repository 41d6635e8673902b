"""Whether the files of a product can be named, before any is made."""

from swath.engine.product_plan import ProductPlan
from swath.errors import MetadataError
from swath.names import NAME_RULE, name_problem
from swath.stores.names import NameLimits

#: The longest ending of a picture's name beside its asset: ``_picture``, a point, twelve digits, ``.png``.
_PICTURE = "_picture.0123456789ab.png"


def check_file_names(plan: ProductPlan, *, limits: NameLimits) -> None:
    """Refuse a product whose files or folders the output cannot name.

    Args:
        plan: Plan of the product.
        limits: Limits of the output store.

    Raises:
        MetadataError: A name is too long, or holds what no name may.
    """
    scene = plan.graph.scene
    files = [plan.href(a) for a in plan.keys] + [f"{plan.product_id}.{a}{_PICTURE}" for a in plan.keys]
    for what, name in (("platform or constellation", plan.collection), *(("id", f) for f in files)):
        size = len(name.encode())
        if size > limits.part:
            _refuse(what, name, got=size, limit=limits.part, limits=limits)
    longest = max(files, key=len, default=plan.product_id)
    path = f"{plan.folder}/{longest}"
    if len(path.encode()) > limits.path:
        _refuse("id", path, got=len(path.encode()), limit=limits.path, limits=limits)
    problem = name_problem(scene.scene_id) or name_problem(plan.collection)
    if problem:
        raise MetadataError(
            "the scene's id or platform cannot name files",
            expected=NAME_RULE,
            got=problem,
            remedy="Change it in the metadata.",
        )


def _refuse(what: str, name: str, *, got: int, limit: int, limits: NameLimits) -> None:
    raise MetadataError(
        f"the scene's {what} is too long for the names of its files",
        expected=f"names of at most {limit} bytes, as {limits.told} allows",
        got=f"{got} bytes ({name[:40]}...{name[-30:]})",
        remedy=f"Shorten the {what} in the metadata by {got - limit} bytes.",
    )
