"""What a child process does: ingest a scene, make a strip, assemble an asset, adopt one, publish a product."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar, cast

from swath.engine.child.ingest import ingest
from swath.engine.child.stages import adopt_files, make_asset, make_strip, publish
from swath.engine.child.whole import make, prepare
from swath.engine.ingested import Ingest
from swath.engine.link_messages import Adopt, Prepare
from swath.engine.message import Request
from swath.engine.messages import MakeAsset, MakeProduct, MakeStrip, Publish
from swath.engine.refused import Refused
from swath.errors import AccessError, SceneError, StoreRefusedError
from swath.stack.tasks import OPS as STACK_OPS
from swath.stores.registry import is_below

Json = dict[str, Any]
A = TypeVar("A")


def perform(request: Mapping[str, Any]) -> Json:
    """Do one request as it travels.

    Raises:
        SceneError: See ``do``.
        StoreRefusedError: See ``do``.
        ServiceError: See ``do``.
    """
    op = request["op"]
    if op in STACK_OPS:
        with _blamed(str(request.get("scene_id", "")), output=str(request.get("output", ""))):
            return STACK_OPS[op](request)
    done = do(_KINDS[op].from_plain(request))
    return done.answer() if isinstance(done, Refused) else done.to_plain()


def do(request: Request[A]) -> A | Refused:
    """Do one request.

    Raises:
        SceneError: The scene is unusable; told about its scene. A file of it that its store refuses is one reason.
        StoreRefusedError: The output is refused: no scene can go on.
        ServiceError: A store was away for longer than we wait.
    """
    scene_id, output = (str(getattr(request, name, "")) for name in ("scene_id", "output"))
    with _blamed(scene_id, output=output):
        return cast("A | Refused", _WORK[type(request)](request))


@contextmanager
def _blamed(scene_id: str, *, output: str) -> Iterator[None]:
    """Say of an error whose it is."""
    try:
        yield
    except SceneError as error:
        raise error.of(scene_id) from error
    except StoreRefusedError as error:
        if is_below(error.uri, output):
            raise
        told = AccessError(str(error), scene_id=scene_id)
        raise told from error


_WORK: Final[Mapping[type[Any], Callable[[Any], Any]]] = {
    Adopt: adopt_files,
    Ingest: ingest,
    MakeProduct: make,
    Prepare: prepare,
    MakeStrip: make_strip,
    MakeAsset: make_asset,
    Publish: publish,
}
_KINDS: Final[Mapping[str, type[Any]]] = {kind.op: kind for kind in _WORK}
