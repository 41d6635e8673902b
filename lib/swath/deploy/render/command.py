"""The command that an engine runs, read back from what it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_DRIVER_ENV = "spark.kubernetes.driverEnv."
_EXECUTOR_ENV = "spark.executorEnv."


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCommand:
    """What an engine runs.

    Args:
        program: Main file.
        arguments: Arguments of the program.
        conf: All Spark settings.
        driver: Variables of the driver.
        executor: Variables of executors.
    """

    program: str
    arguments: tuple[str, ...]
    conf: Mapping[str, str]
    driver: Mapping[str, str]
    executor: Mapping[str, str]

    @classmethod
    def of(cls, program: str, arguments: Sequence[str], *, conf: Mapping[str, str]) -> "EngineCommand":
        """A command from all its settings, those of environments among them."""
        return cls(
            program=program,
            arguments=tuple(arguments),
            conf={key: value for key, value in conf.items() if not key.startswith((_DRIVER_ENV, _EXECUTOR_ENV))},
            driver={key.removeprefix(_DRIVER_ENV): value for key, value in conf.items() if key.startswith(_DRIVER_ENV)},
            executor={key.removeprefix(_EXECUTOR_ENV): value for key, value in conf.items() if key.startswith(_EXECUTOR_ENV)},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreground:
    """A command for this machine.

    Args:
        words: Program and arguments.
        variables: Variables that the job's environment adds to the caller's.
    """

    words: tuple[str, ...]
    variables: Mapping[str, str]
