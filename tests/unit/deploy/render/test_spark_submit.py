import shlex
from collections.abc import Callable

from swath.deploy.render.order import Order
from swath.deploy.spark_submit.command import spark_submit


def test_the_text_is_the_words(order: Callable[[str], Order]) -> None:
    command = spark_submit(order("laptop"))
    lines = command.text.replace("\\\n", " ")
    words = shlex.split(lines)
    start = words.index("spark-submit")
    assert tuple(words[start:]) == command.words
    assert dict(word.split("=", 1) for word in words[:start]) == dict(command.environment)


def test_the_arguments_are_those_of_swath_run(order: Callable[[str], Order]) -> None:
    assert spark_submit(order("laptop")).arguments == (
        "ard",
        "--input",
        "/data/scenes/incoming",
        "--output",
        "/data/products/ard",
        "--site",
        "laptop",
        "--run-id",
        "ard-20261125t000000z-abcd",
        "--quarantine-ok",
        "--json",
        "--worker-memory-mb",
        "1536",
    )
