"""A driver that keeps its session and runs what it is asked: ``python -m tests.faults.driver MASTER``, a JSON object a line.

Starting a session costs more than a run of forty small scenes, and is not what is tested. Killed, it is started again.
"""

import json
import os
import sys
import tempfile
import traceback
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Self

from swath.cli.main import EXIT_ACCOUNT, EXIT_CONFIG, EXIT_CRASHED, EXIT_LOCKED
from swath.cli.run import execute, exit_code
from swath.cli.run_request import RunOptions
from swath.errors import AccountError, BrokenInstallationError, ConfigError, LockError
from swath.runs import commit as ledger
from swath.runs import run
from swath.spark.start.session import SparkSession, build_session, stop_session
from swath.upkeep.janitor import Retention, clean


class Quiet:
    """Says on standard error which stage is at work, for who looks into a failure."""

    def wave(self, number: int, waves: int, products: int) -> None:
        """A line."""
        self.say(f"wave {number} of {waves}: {products} products")

    def stage(self, name: str, done: int, total: int) -> None:
        """Nothing: the log stays readable."""

    def say(self, text: str) -> None:
        """A line."""
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


class Clock(datetime):
    """A clock that is wrong: what the ledger and the run take for the time."""

    wrong = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """The time, and some more."""
        return super().now(tz) + cls.wrong


def answer(request: dict[str, Any], spark: SparkSession) -> dict[str, Any]:
    """Do one request: a run, or what the janitor would remove."""
    if request.pop("op", "run") == "janitor":
        return _janitor(request["output"], spark)
    inputs = tuple(request.pop("inputs"))
    Clock.wrong = timedelta(seconds=request.pop("clock_s", 0.0))
    try:
        summary = execute(RunOptions(inputs=inputs, **request), told=Quiet(), spark=spark)
    except (ConfigError, BrokenInstallationError) as error:
        return {"exit": EXIT_CONFIG, "why": str(error)}
    except AccountError as error:
        return {"exit": EXIT_ACCOUNT, "why": str(error)}
    except LockError as error:
        return {"exit": EXIT_LOCKED, "why": str(error)}
    except Exception:  # noqa: BLE001  as the interpreter would: traceback, exit code 1
        return {"exit": EXIT_CRASHED, "why": traceback.format_exc()[-3000:]}
    return {"exit": exit_code(summary, quarantine_ok=False), "summary": json.loads(summary.to_json())}


def _janitor(output: str, spark: SparkSession) -> dict[str, Any]:
    """Everything that no retention protects."""
    from swath.ledger.delta import DeltaTables  # noqa: PLC0415
    from swath.stores.registry import open_store  # noqa: PLC0415

    store = open_store(output)
    # Files of a wrong clock are found as well, only later.
    later = datetime.now(UTC) + timedelta(days=7300)
    found = clean(DeltaTables(spark, store), store, retention=Retention(scratch_h=0.0, unnamed_h=0.0), now=later, dry=True)
    return {"scratch": found.scratch, "unnamed": found.unnamed}


def main(master: str) -> None:
    """Serve until standard input ends."""
    answers = sys.stdout
    sys.stdout = sys.stderr
    with tempfile.TemporaryDirectory(prefix="swath-faults-") as folder:
        conf = {"spark.local.dir": folder, "spark.sql.warehouse.dir": f"{folder}/warehouse"}
        # The plug-in is found by executors too.
        conf["spark.executorEnv.PYTHONPATH"] = os.environ["PYTHONPATH"]
        for module in (ledger, run):
            module.datetime = Clock  # type: ignore[attr-defined]  # what the modules know by that name
        session = build_session(app="swath-faults", master=master, conf=conf)
        answers.write('{"ready": true}\n')
        answers.flush()
        for line in sys.stdin:
            answers.write(json.dumps(answer(json.loads(line), session)) + "\n")
            answers.flush()
        stop_session(session)


if __name__ == "__main__":
    main(sys.argv[1])
