"""A ``spark-submit`` command line, for laptops and for CI."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from swath.deploy.render.order import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkSubmitCommand:
    """A command, and what its environment adds to the caller's.

    Args:
        program: Main file.
        arguments: Arguments of the program.
        conf: Spark settings.
        environment: Variables of the driver.
    """

    program: str
    arguments: tuple[str, ...]
    conf: Mapping[str, str]
    environment: Mapping[str, str]

    @property
    def words(self) -> tuple[str, ...]:
        """The command as a list of words."""
        pairs = tuple(word for key, value in self.conf.items() for word in ("--conf", f"{key}={value}"))
        return ("spark-submit", *pairs, self.program, *self.arguments)

    @property
    def text(self) -> str:
        """The command for a shell, one setting a line."""
        variables = [f"{key}={shlex.quote(value)} \\" for key, value in self.environment.items()]
        pairs = [f"  --conf {shlex.quote(f'{key}={value}')} \\" for key, value in self.conf.items()]
        last = " ".join(shlex.quote(word) for word in (self.program, *self.arguments))
        return "\n".join([*variables, "spark-submit \\", *pairs, f"  {last}", ""])


def spark_submit(order: Order, *, program: str = "jobs/process.py") -> SparkSubmitCommand:
    """The command that runs ``order`` on this machine.

    Args:
        order: The run.
        program: The main file.
    """
    prefix = "spark.executorEnv."
    environment = {key.removeprefix(prefix): value for key, value in order.conf.items() if key.startswith(prefix)}
    return SparkSubmitCommand(program=program, arguments=order.arguments, conf=order.conf, environment=environment)
