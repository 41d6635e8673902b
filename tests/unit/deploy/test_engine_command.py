from collections.abc import Callable
from pathlib import Path

import pytest

from swath.deploy.engine_command import engine_command, here, words_and_variables
from swath.deploy.render.order import Order
from swath.deploy.site.files import load_site
from swath.errors import ConfigError

Ordered = Callable[[str], Order]
SITES = ["aws-region", "outposts-extended", "outposts-local", "eks-anywhere", "kubernetes", "laptop"]


@pytest.mark.parametrize("site", SITES)
def test_the_way_back_gives_the_ordered_arguments_and_environment(site: str, order: Ordered) -> None:
    ordered = order(site)
    command = engine_command(ordered)
    assert command.arguments == ordered.arguments
    assert command.program.endswith("jobs/process.py")
    prefix = "spark.executorEnv."
    assert dict(command.executor) == {k.removeprefix(prefix): v for k, v in ordered.conf.items() if k.startswith(prefix)}


def _here(site: str, order: Ordered) -> tuple[tuple[str, ...], dict[str, str], dict[str, str]]:
    where = load_site(site)
    folders = {"scenes": Path("/scenes"), "products": Path("/products")}
    command = here(engine_command(order(site)), site=where, folders=folders, program=Path("/jobs/process.py"))
    words = list(command.arguments)
    if "--wave-products" in words:
        # as wide as the cluster: how a run is cut into waves changes no product
        at = words.index("--wave-products")
        del words[at : at + 2]
    return tuple(words), dict(command.conf), dict(command.driver)


@pytest.mark.parametrize("other", ["outposts-extended", "outposts-local", "eks-anywhere", "kubernetes"])
def test_two_sites_ask_for_the_same_work(other: str, order: Ordered) -> None:
    """What is left when clusters and stores are taken away is the same command, but for the site's name."""
    left, right = _here("aws-region", order), _here(other, order)
    names = [a for a, b in zip(left[0], right[0], strict=True) if a != b]
    assert names in (["aws-region"], [])
    assert {k: v for k, v in left[1].items() if "JavaOptions" not in k} == {
        k: v for k, v in right[1].items() if "JavaOptions" not in k
    }
    assert left[2] == right[2]


@pytest.mark.parametrize("site", SITES)
def test_nothing_of_a_cluster_is_left_here(site: str, order: Ordered) -> None:
    arguments, conf, driver = _here(site, order)
    assert not [word for word in arguments if word.startswith("s3")]
    assert not [key for key in conf if key.startswith(("spark.kubernetes", "spark.hadoop.fs.s3"))]
    assert not [key for key in driver if key.startswith("AWS_")]


def test_a_store_without_a_folder_is_refused(order: Ordered) -> None:
    with pytest.raises(ConfigError, match="is in store 'products'"):
        here(
            engine_command(order("kubernetes")), site=load_site("kubernetes"), folders={"scenes": Path("/s")}, program=Path("/p")
        )


def test_words_hold_every_setting(order: Ordered) -> None:
    command = engine_command(order("laptop"))
    words, variables = words_and_variables(command, submit="spark-submit")
    assert words[0] == "spark-submit"
    assert words.count("--conf") == len(command.conf) + len(command.executor)
    assert variables["OMP_NUM_THREADS"] == "1"
