"""What a folder must be before a registry takes it, an alias means it, or a run uses it: one function of the folder alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.digest import model_digest
from swath.inference.findings import Check, Finding, refuse
from swath.inference.kinds import kind_of
from swath.inference.loader import as_stated, raw_predictor_of
from swath.inference.manifest import CARD_FILE, MANIFEST_FILE, Manifest, read_manifest
from swath.inference.reference import REFERENCE_FILE, read_reference
from swath.inference.revocation import revoked_in
from swath.inference.signature import SignatureError, signature_beside, verify
from swath.inference.trusted_keys import KEYS, TrustedKey, keys_of
from swath.inputs import Predictor
from swath.settings import Settings

#: A card is a page for people [bytes].
_MAX_CARD_BYTES = 1 << 20
#: What every model of this site must carry, beside what all must: ``reference`` rows, a ``signature``.
DEMANDS = "SWATH_MODEL_DEMANDS"
_KNOWN_DEMANDS = ("reference", "signature")
_SUM_TOLERANCE = 1e-3
_NETWORK = "correct the manifest, or export the network anew: one file, operators of ONNX alone, without loops"
_AGAIN = "write the model anew, or fetch it again from where it was made"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionTerms:
    """What a site demands of every model, beside what swath does.

    Args:
        licences: Licences that may be used, as manifests name them; all when empty.
        reference: Models without reference rows are refused, not only warned of.
        signature: Models without a signature are refused.
        keys: Whose signatures are trusted; a signature by any other key is refused. None: signatures are not looked at.
        revoked: Time and reason of each revocation, by digest.
    """

    licences: tuple[str, ...] = ()
    reference: bool = False
    signature: bool = False
    keys: tuple[TrustedKey, ...] = ()
    revoked: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def here(cls) -> Self:
        """What the environment of this site demands: the variables of models in docs/settings.md.

        Raises:
            ConfigError: A demand is unknown, a key or the list of revoked models cannot be read, or signatures are demanded and
                no key is trusted.
        """
        settings = Settings.of()
        demands = settings.model_demands
        unknown = sorted(set(demands) - set(_KNOWN_DEMANDS))
        if unknown:
            msg = f"{DEMANDS}: {', '.join(unknown)} is not a demand; known: {', '.join(_KNOWN_DEMANDS)}"
            raise ConfigError(msg)
        keys = keys_of(settings.model_keys)
        if "signature" in demands and not keys:
            msg = f"{DEMANDS} demands signatures, {KEYS} names no key that is trusted: set it to the public keys"
            raise ConfigError(msg)
        return cls(
            licences=settings.model_licences, reference="reference" in demands, signature="signature" in demands, keys=keys,
            revoked=revoked_in(Path(settings.model_revoked), keys=keys) if settings.model_revoked else {},
        )  # fmt: skip


def admit(directory: Path, *, called: str = "", terms: AdmissionTerms | None = None) -> Manifest:
    """The manifest of a model that may be registered and run.

    Raises:
        ConfigError: Any grave finding; see ``findings_of``.
    """
    refuse(findings_of(directory, called=called, terms=terms))
    return read_manifest(directory)


def findings_of(directory: Path, *, called: str = "", terms: AdmissionTerms | None = None) -> tuple[Finding, ...]:
    """Everything that speaks against a model; empty when nothing does.

    Args:
        directory: The model as found; its signature is the file ``<directory>.sig`` beside it.
        called: Name in messages, for copies in temporary folders; the directory otherwise.
        terms: Terms of the site; what its environment says by default.
    """
    return tuple(_found(directory, _Told(called or str(directory), directory), terms=terms or AdmissionTerms.here()))


@dataclass(frozen=True, slots=True)
class _Told:
    """Findings of one model."""

    model: str
    directory: Path

    def of(self, check: Check, error: ConfigError, *, remedy: str = _AGAIN) -> Finding:
        # The folder may be a copy that the user has never heard of.
        text = str(error).removeprefix(f"{self.directory}: ").replace(f"{self.directory}/", "")
        return Finding(model=self.model, check=check, problem=text, remedy=remedy)

    def says(self, check: Check, problem: str, *, remedy: str) -> Finding:
        return Finding(model=self.model, check=check, problem=problem, remedy=remedy)


def _found(directory: Path, told: _Told, *, terms: AdmissionTerms) -> Iterator[Finding]:
    try:
        digest = model_digest(directory)  # refuses links, devices, caches, size and number of files
    except ConfigError as error:
        yield told.of("files", error)
        return
    if digest in terms.revoked:
        problem = f"digest {digest} was revoked, {terms.revoked[digest]}"
        yield told.says("revocation", problem, remedy="use another version: swath models rollback, or promote one")
    try:
        manifest = read_manifest(directory)
    except ConfigError as error:
        yield told.of("manifest", error, remedy=f"a model is {MANIFEST_FILE}, weights and {CARD_FILE}")
        return
    files = list(_of_files(directory, manifest, told=told))
    yield from files
    if terms.licences and manifest.licence not in terms.licences:
        problem = f"the site allows {', '.join(terms.licences)}, the manifest states {manifest.licence!r}"
        yield told.says("licence", problem, remedy="use another model, or let the site allow this licence")
    yield from _of_signature(directory, told=told, terms=terms)
    if not any(f.check == "weights" for f in files):
        yield from _of_answers(directory, manifest, told=told, terms=terms)


def _of_signature(directory: Path, *, told: _Told, terms: AdmissionTerms) -> Iterator[Finding]:
    signature = signature_beside(directory)
    if not terms.keys or not (terms.signature or signature.exists()):
        return
    try:
        verify(directory, signature=signature, keys=terms.keys)
    except SignatureError as error:
        yield told.of(
            "signature", error, remedy="fetch the model from its signer, or sign it: swath models register --sign-key KEY"
        )


def _of_answers(directory: Path, manifest: Manifest, *, told: _Told, terms: AdmissionTerms) -> Iterator[Finding]:
    """What the weights answer: to the trainer's rows, or at least as probabilities."""
    problems: list[str] = []
    try:
        # Before the weights are loaded: what they hold may be why they must not be.
        problems += kind_of(manifest.kind).problems(directory / manifest.weights, manifest)
        raw = raw_predictor_of(directory, manifest)
    except ConfigError as error:
        yield from (told.says("weights", p, remedy=_NETWORK) for p in problems)
        yield told.of("weights", error)
        return
    yield from (told.says("weights", p, remedy=_NETWORK) for p in problems)
    predictor = as_stated(raw, manifest)
    try:
        reference = read_reference(directory)
    except ConfigError as error:
        yield told.of("reference", error)
        return
    if reference is None:
        problem = f"it has no {REFERENCE_FILE}: nothing proves the order and the scale of its bands"
        remedy = "train it again with this version of swath"
        yield Finding(model=told.model, check="reference", problem=problem, remedy=remedy, grave=terms.reference)
        yield from _of_probabilities(predictor, np.zeros((len(manifest.bands), 1, 1), dtype=np.float32), told=told)
        return
    differences = list(reference.differences(manifest, raw))
    for difference in differences:
        yield told.says("reference", difference, remedy="correct the manifest or the conversion of the weights")
    # Rows with NaN and infinities may have no answer of a network; pixels without a value are never predicted.
    finite = reference.features[np.isfinite(reference.features).all(axis=1)]
    if not differences and not manifest.margin_px:
        yield from _of_probabilities(predictor, np.ascontiguousarray(finite.T)[:, np.newaxis], told=told)


def _of_probabilities(predictor: Predictor, features: NDArray[np.float32], *, told: _Told) -> Iterator[Finding]:
    answer = predictor.predict(features).astype(np.float64)
    if not ((answer >= 0.0) & (answer <= 1.0)).all() or not (np.abs(answer.sum(axis=0) - 1.0) <= _SUM_TOLERANCE).all():
        problem = f"expected probabilities that sum to 1 over the classes, found values {answer.min():g} to {answer.max():g}"
        yield told.says("weights", problem, remedy="end the network with a softmax over the classes")


def _of_files(directory: Path, manifest: Manifest, *, told: _Told) -> Iterator[Finding]:
    suffix = kind_of(manifest.kind).suffix
    if not manifest.weights.endswith(suffix):
        problem = f"weights of kind {manifest.kind} are a {suffix} file, the manifest names {manifest.weights!r}"
        yield told.says("weights", problem, remedy="convert them: other formats can hold code")
    allowed = {MANIFEST_FILE, CARD_FILE, REFERENCE_FILE, manifest.weights}
    other = sorted({p.relative_to(directory).as_posix() for p in directory.rglob("*")} - allowed)
    if other:
        problem = f"a model holds {', '.join(sorted(allowed))} and nothing else"
        yield told.says("files", problem, remedy=f"remove {', '.join(other)}")
    for name in sorted(allowed):
        yield from _of_file(directory / name, told=told, weights=manifest.weights)


def _of_file(path: Path, *, told: _Told, weights: str) -> Iterator[Finding]:
    if not path.exists():
        if path.name == weights:
            yield told.says("weights", f"the manifest names {weights}, there is no such file", remedy=_AGAIN)
        elif path.name == CARD_FILE:
            remedy = "write what the model is for, and its limits, into it"
            yield Finding(model=told.model, check="files", problem=f"there is no {CARD_FILE}", remedy=remedy, grave=False)
        return
    size = path.lstat().st_size
    if path.name == weights and not size:
        yield told.says("weights", f"{weights}: the weights are empty", remedy=_AGAIN)
    if path.name == CARD_FILE and size > _MAX_CARD_BYTES:
        yield told.says("files", f"{CARD_FILE} has {size} bytes, a card has at most {_MAX_CARD_BYTES}", remedy="shorten it")
