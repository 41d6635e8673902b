"""Loops over pixels as machine code: compiled by numba when first called, kept on disk where a folder can be written.

A process that calls none of them never loads numba (0.2 CPU s, 100 MB). A compiled function calls others of its own file alone,
and names them: numba keeps machine code by the date of the file of the function that is called, and would not notice a change
elsewhere. Compiled functions take positions, which is what ``compiled`` passes on; each has a caller beside it that takes names.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.abc import Loader

#: What ``compiled`` gave out: how to compile a function, and its machine code once there is any.
_KNOWN: list[tuple[Callable[[], Callable[..., Any]], list[Callable[..., Any]]]] = []


def using(*parts: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``compiled`` of a function that calls others of its own file, which are plain functions: they are compiled with it."""

    def of(function: Callable[..., Any]) -> Callable[..., Any]:
        return compiled(function, parts=parts)

    return of


def compiled(function: Callable[..., Any], *, parts: tuple[Callable[..., Any], ...] = ()) -> Callable[..., Any]:
    """Compile at the first call, without the GIL.

    Arrays of another type, layout or writability are compiled for anew, so callers give contiguous ones.

    Args:
        function: Function to compile; it takes positions.
        parts: Plain functions of its own file that it calls; each may call those before it.

    Raises:
        ValueError: A part is of another file, whose changes numba would not notice.
    """
    for part in parts:
        if part.__module__ != function.__module__:
            msg = f"{function.__qualname__} is to be compiled with {part.__qualname__} of another file, {part.__module__}"
            raise ValueError(msg)
    made: list[Callable[..., Any]] = []
    _KNOWN.append((partial(machine_code, function, parts=parts), made))

    @wraps(function)
    def call(*asked: Any) -> Any:
        if not made:
            made.append(machine_code(function, parts=parts))
        return made[0](*asked)

    return call


def load_kept() -> None:
    """Load all machine code that is kept on disk for functions that are imported; compile none.

    Who forks does this first, so that the pages are shared.
    """
    for compile_, made in _KNOWN:
        if not made:
            made.append(compile_())
        _load_types(made[0])


def _load_types(function: Any) -> None:
    """Load a function for the types in the index of numba's cache."""
    # numba itself looks only for types that it is asked for.
    kept = function._cache  # noqa: SLF001
    codegen = function.targetctx.codegen()
    for key in kept._cache_file._load_index() if hasattr(kept, "_cache_file") else ():  # noqa: SLF001
        # The index may tell of other processors and of the function as it was.
        if key == kept._index_key(key[0], codegen):  # noqa: SLF001
            function.compile(key[0])


def machine_code(function: Callable[..., Any], *, parts: tuple[Callable[..., Any], ...] = ()) -> Callable[..., Any]:
    """The function by numba, which is loaded now; ``parts`` as for ``compiled``."""
    # numba would load scipy, for linear algebra, cffi, for functions of C, and YAML, for a file of settings: none is used here.
    with absent("scipy", "cffi", "yaml"):
        import numba  # noqa: PLC0415  see above: only who calls machine code pays for it
        import numba.core.typing.cffi_utils  # noqa: PLC0415  as the next one: it looks when the first function is called
        import numba.np.arraymath  # noqa: PLC0415  half a second
    known: dict[str, Callable[..., Any]] = {}
    for part in parts:
        known[part.__name__] = numba.njit(_with(known, part))
    function = _with(known, function) if known else function
    try:
        kept: Any = numba.njit(nogil=True, cache=True)(function)
        folder = Path(str(kept.stats.cache_path))
        # numba does not look whether it can write before the first call when swath is in a zip.
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
        _forget_unreadable(kept)
    except (RuntimeError, OSError):
        writable = False
    plain: Callable[..., Any] = kept if writable else numba.njit(nogil=True)(function)
    return plain


def _with(parts: dict[str, Callable[..., Any]], function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which finds other functions by some of its names."""
    copy = FunctionType(function.__code__, {**function.__globals__, **parts}, function.__name__)
    copy.__qualname__, copy.__module__, copy.__doc__ = function.__qualname__, function.__module__, function.__doc__
    return copy


def _forget_unreadable(function: Any) -> None:
    """Remove an index of kept machine code that names types which are gone.

    An earlier version of swath, in the same place, may have left it; numba unpickles it before it looks at its date.
    """
    file = getattr(function._cache, "_cache_file", None)  # noqa: SLF001
    if file is None:
        return
    try:
        file._load_index()  # noqa: SLF001
    except Exception:  # noqa: BLE001  whatever unpickling meets, the code is compiled anew
        Path(file._index_path).unlink(missing_ok=True)  # noqa: SLF001


@contextmanager
def absent(*libraries: str) -> Iterator[None]:
    """Let imports find that optional libraries are not there; what is loaded already stays."""
    hidden = [name for name in libraries if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is how Python marks what cannot be imported
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def without(module: str, *libraries: str) -> None:
    """Let a module find that optional libraries are not there, whenever it is imported: nothing is loaded now.

    rasterio loads boto3 for sessions of its own (0.4 CPU s, 17 MB); ``gdal_env`` gives it those of the store's client.
    """
    if module not in sys.modules:
        sys.meta_path.insert(0, _Without(module, libraries))


class _Without:
    """Finder and loader of one module, once: as any other, but for libraries that are hidden from it."""

    def __init__(self, module: str, libraries: tuple[str, ...]) -> None:
        self._module, self._libraries = module, libraries
        self._loader: Loader | None = None

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        """The module's own spec, whose loader is this one."""
        if fullname != self._module:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None:
            self._loader, spec.loader = spec.loader, self  # type: ignore[assignment]  # Loader is a class of importlib.abc, which costs 10 ms
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """See ``Loader``."""
        return self._loader.create_module(spec) if self._loader is not None else None

    def exec_module(self, module: ModuleType) -> None:
        """See ``Loader``."""
        if self._loader is not None:
            with absent(*self._libraries):
                self._loader.exec_module(module)
