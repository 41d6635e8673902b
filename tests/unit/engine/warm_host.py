"""Warms up, makes products of deliveries with a pipeline each, and prints the kernels that had to be compiled for it.

Arguments: a folder for outputs, then pairs of a pipeline (JSON) and a delivery.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.whole_product import MADE, Maker

from swath import compiled
from swath.engine.child.tasks import perform
from swath.engine.child.warm_up import warm_up
from swath.inference import forest_kernel, forest_visits


class Here:
    """Answers in this process."""

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        return perform(request)


def signatures() -> Iterator[str]:
    """Every kernel with every list of types that there is machine code for."""
    kernels: list[Any] = [made[0] for _, made in compiled._KNOWN if made]
    kernels += [k for kept in (forest_kernel, forest_visits) for k in vars(kept).values() if hasattr(k, "signatures")]
    yield from (f"{k.__name__}{types}" for k in kernels for types in k.signatures)


def main() -> None:
    warm_up()
    before = set(signatures())
    pairs = sys.argv[2:]
    for number, (pipeline, delivery) in enumerate(zip(pairs[::2], pairs[1::2], strict=True)):
        output = Path(sys.argv[1]) / str(number)
        output.mkdir()
        told = json.loads(pipeline)
        maker = Maker(child=Here(), pipeline=json.dumps(told["pipeline"]), models=told["models"], output=output)  # type: ignore[arg-type]
        result = maker.make(delivery)
        if result[0] != MADE:
            raise SystemExit(f"{delivery}: {result}")
    sys.stdout.write(json.dumps(sorted(set(signatures()) - before)))


if __name__ == "__main__":
    main()
