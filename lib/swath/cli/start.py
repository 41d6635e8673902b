"""Where a process of the command line begins: Ctrl-C has its answer before anything is imported that takes time."""

import os
import signal
from types import FrameType

_EXIT_INTERRUPTED = 130


def _end(number: int, frame: FrameType | None) -> None:
    """End before the command has begun: there is nothing to put in order yet."""
    del number, frame
    os.write(2, b"\ninterrupted\n")
    os._exit(_EXIT_INTERRUPTED)


def main() -> None:
    """Run the command line; see ``swath.cli.main``."""
    signal.signal(signal.SIGINT, _end)
    from swath.cli import main as command  # noqa: PLC0415  a third of a second of imports, for which the handler is there

    command.main()
