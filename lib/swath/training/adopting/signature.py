"""MLflow's signature of a model beside what its manifest says: names, order, data types, shapes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from swath.errors import ConfigError
from swath.inference.manifest import Manifest

if TYPE_CHECKING:
    from mlflow.models import ModelSignature
    from mlflow.types import Schema

#: Types of columns that hold every float32: a table of doubles takes our features as they are.
_COLUMN_TYPES: Final = ("float", "double")
#: Of tensors nothing is cast.
_TENSOR_TYPE: Final = "float32"


def refuse_other_signature(signature: "ModelSignature | None", manifest: Manifest) -> None:
    """Refuse a model whose signature differs from a manifest.

    Raises:
        ConfigError: There is no signature, or it differs; every difference names both sides.
    """
    if signature is None or signature.inputs is None:
        msg = "it was logged without a signature: nothing says what it takes; log it with input_example= or signature="
        raise ConfigError(msg)
    problems = [*_of_inputs(signature.inputs, manifest), *_of_outputs(signature.outputs, manifest)]
    if problems:
        raise ConfigError("; ".join(problems))


def _of_inputs(inputs: "Schema", manifest: Manifest) -> Iterator[str]:
    if inputs.is_tensor_spec():
        yield from _of_tensor(inputs, manifest)
        return
    names, bands = [str(n) for n in inputs.input_names()], list(manifest.bands)
    if manifest.network is not None:
        yield f"the signature has columns ({', '.join(names)}), the manifest a network that takes patches: a tensor"
    elif inputs.has_input_names() and names != bands:
        how = "in another order: " if sorted(names) == sorted(bands) else ""
        yield f"the signature has the columns {', '.join(names)}, the manifest {how}the bands {', '.join(bands)}"
    elif len(names) != len(bands):
        yield f"the signature has {len(names)} columns, the manifest {len(bands)} bands: {', '.join(bands)}"
    types = [getattr(t, "name", str(t)) for t in inputs.input_types()]
    wrong = [f"{n} is {t}" for n, t in zip(names, types, strict=True) if t not in _COLUMN_TYPES]
    if wrong:
        yield f"columns of the signature: {', '.join(wrong)}; the manifest's features are {manifest.dtype}"


def _of_tensor(inputs: "Schema", manifest: Manifest) -> Iterator[str]:
    from mlflow.types import TensorSpec  # noqa: PLC0415 (costs seconds: only where it is used)

    tensors = [t for t in inputs.inputs if isinstance(t, TensorSpec)]
    if len(tensors) != 1:
        yield f"the signature has {len(tensors)} tensors, a manifest describes one: the features of {len(manifest.bands)} bands"
        return
    found, wanted = tuple(tensors[0].shape), _shape(manifest)
    if str(tensors[0].type) != _TENSOR_TYPE:
        given = tensors[0].type
        yield f"the tensor of the signature is {given}, the manifest's features are {manifest.dtype}; export it as float32"
    if len(found) != len(wanted) or any(f not in (-1, w) for f, w in zip(found[1:], wanted[1:], strict=True)):
        yield f"the tensor of the signature has the shape {found}, the manifest says {wanted}"


def _shape(manifest: Manifest) -> tuple[int, ...]:
    bands = len(manifest.bands)
    return (-1, bands) if manifest.network is None else (-1, bands, *[manifest.network.patch_px] * 2)


def _of_outputs(outputs: "Schema | None", manifest: Manifest) -> Iterator[str]:
    """Compare the number of classes, where the signature has one output of probabilities with a known width."""
    from mlflow.types import TensorSpec  # noqa: PLC0415 (as above)

    classes = len(manifest.classes)
    if outputs is None or not outputs.is_tensor_spec() or manifest.network is not None:
        return
    tensors = [t for t in outputs.inputs if isinstance(t, TensorSpec)]
    told = next((t for t in tensors if "probabilit" in str(t.name)), tensors[-1])
    width = told.shape[-1] if len(told.shape) == 2 else 1
    # One number of a forest is the probability of the second of two classes.
    if width not in (-1, classes) and not (width == 1 and classes == 2):
        yield f"the output of the signature has the shape {tuple(told.shape)}, the manifest {classes} classes"
