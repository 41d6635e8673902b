"""The three fates of an error.

``ConfigError`` stops a command before Spark starts (exit 2). ``SceneError`` is caught where it happens, becomes
that scene's outcome and goes to quarantine; the run goes on. ``InfrastructureError`` passes through a worker: Spark retries the
task, and the run ends when that does not help. An error of any other kind is the outcome of the scene at which it happened
twice, of class ``internal``.
"""

from typing import ClassVar, Self

from swath.redaction import redacted


class SwathError(Exception):
    """Base of everything that swath raises on purpose. Its text has neither passwords nor signatures of addresses."""

    #: The user has read it: a run tells what ended it before it stops its session.
    told: bool = False

    def __str__(self) -> str:
        """The message."""
        return redacted(super().__str__())


class ConfigError(SwathError):
    """Nothing ran; a person must fix a configuration or an argument. Exit code 2."""


class AccountError(SwathError):
    """What went in is not what came out; nothing may be trusted until it is explained. Exit code 4."""


class LockError(SwathError):
    """Another run holds the lock of this output. Exit code 5."""


class ServiceError(SwathError):
    """A store or a database was away, or too busy, for longer than a run waits. Exit code 6: starting it again helps.

    Where a scene met it, the scene is not at fault: it is never put into quarantine for it.
    """

    #: What a worker's answer calls it.
    error_class: ClassVar[str] = "store"


class StoreRefusedError(ConfigError):
    """A store answers, and says no: a permission, a key, a clock or a bucket that only a person can put right.

    Args:
        message: Refusal in words: the identity, the action and the remedy.
        uri: URI of the object, or of the listing.
        cause: ``access``, ``clock``, ``bucket``, ``region``, ``credentials`` or ``certificate``.
    """

    def __init__(self, message: str, *, uri: str = "", cause: str = "access") -> None:
        super().__init__(message)
        self.uri = uri
        self.cause = cause


class CatalogueError(SwathError):
    """The served catalogue does not answer, or does not take something; what it should know waits in the outbox. Exit code 1.

    Args:
        message: Service and its answer.
        down: The connection is gone: there is no sense in going on.
    """

    def __init__(self, message: str, *, down: bool = False) -> None:
        super().__init__(message)
        self.down = down


class InfrastructureError(SwathError):
    """What every scene needs failed: a store, a worker, Spark. No scene is to blame. Exit code 1.

    A child hands it to its worker, and the worker to Spark, by the name of its class and its message: subclasses in this module
    take a message alone.
    """


class FullDiskError(InfrastructureError):
    """There is no room left on a disk, or within a quota. Exit code 2: room must be made before anything is run again."""


def failure_named(name: str, message: str) -> InfrastructureError:
    """The failure of a name, as it was before it crossed processes; of the base class where the name is unknown."""
    known = {kind.__name__: kind for kind in InfrastructureError.__subclasses__()}
    return known.get(name, InfrastructureError)(message)


class BrokenInstallationError(SwathError):
    """Every scene so far ended by an error that is no scene's: the run stopped before it quarantined all. Exit code 2."""


class StoppedError(SwathError):
    """The user stopped the run. Exit code 130."""


class SceneError(SwathError):
    """One scene is unusable; the rest of the run goes on.

    Args:
        problem: Problem, in one phrase.
        expected: Content of a correct delivery at this place.
        got: Content of this delivery.
        remedy: Action that the user can take.
        scene_id: The scene, when the place that raises knows it; the engine fills it in otherwise.
    """

    error_class: ClassVar[str] = "scene"

    def __init__(self, problem: str, *, expected: str = "", got: str = "", remedy: str = "", scene_id: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.expected = expected
        self.got = got
        self.remedy = remedy
        self.scene_id = scene_id
        self.stage = ""

    def __str__(self) -> str:
        head = f"{self.scene_id}: {self.problem}" if self.scene_id else self.problem
        facts = [f"expected {self.expected}" if self.expected else "", f"got {self.got}" if self.got else ""]
        told = "; ".join(f for f in facts if f)
        text = f"{head}: {told}" if told else head
        return redacted(f"{text}. {self.remedy}" if self.remedy else text)

    def at(self, stage: str) -> Self:
        """Return this error with the stage that it belongs to added (a stage that is already set is kept)."""
        self.stage = self.stage or stage
        return self

    def of(self, scene_id: str) -> Self:
        """Return this error with its scene added (a scene that is already set is kept)."""
        self.scene_id = self.scene_id or scene_id
        return self


class MetadataError(SceneError):
    """The metadata is missing, broken, hostile, or contradicts itself."""

    error_class = "metadata"


class GeometryError(SceneError):
    """Angles, a coordinate system or an extent make no sense."""

    error_class = "geometry"


class MissingBandError(SceneError):
    """A band that the pipeline must have is not in the delivery."""

    error_class = "missing-band"


class MissingInputError(SceneError):
    """A step needs what the site does not have: a raster."""

    error_class = "missing-input"


class ReadError(SceneError):
    """Pixels cannot be read: truncated, corrupt, empty, of another type than promised."""

    error_class = "read"


class AccessError(SceneError):
    """The store of this scene's files refuses them to us."""

    error_class = "access"


class ChecksumError(SceneError):
    """A file is not the one that the delivery's own checksum speaks of."""

    error_class = "checksum"


class ArchiveError(ReadError):
    """An archive cannot be unpacked: corrupt, cut short, locked by a password, or larger than is believed."""

    error_class = "archive"


class UnsupportedSensorError(SceneError):
    """No coefficients or no model for this sensor."""

    error_class = "unsupported-sensor"


class RangeError(SceneError):
    """A value is outside the range for which a formula holds."""

    error_class = "range"


class ModelContractError(SceneError):
    """A model asks for something that this scene cannot give."""

    error_class = "model"


class ClashError(SceneError):
    """Another delivery of other content has the same id."""

    error_class = "clash"


class CrashError(SceneError):
    """The process that read or computed this scene died twice."""

    error_class = "crash"


class MemoryLimitError(SceneError):
    """The process that read or computed this scene outgrew its memory limit twice."""

    error_class = "oom"


class TimeLimitError(SceneError):
    """The process that read or computed this scene did not finish in time, twice."""

    error_class = "timeout"


class InternalError(SceneError):
    """An unexpected error, twice, in two processes."""

    error_class = "internal"
