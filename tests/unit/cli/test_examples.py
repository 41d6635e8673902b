"""Every command's help ends with an example that the command line can parse."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from swath.cli.examples import EXAMPLES, OF_GROUPS
from swath.cli.main import cli, main


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(_commands(cli))


def _example(command: click.Command) -> str:
    told = (command.help or "").rpartition("Example: swath ")[2].strip()
    assert told, command.help
    return " ".join(told.split())


@pytest.mark.parametrize("path", COMMANDS)
def test_a_commands_help_ends_with_an_example_that_parses(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words, own = shlex.split(_example(COMMANDS[path])), path.split()
    assert words[: len(own)] == own
    # A path that must exist is made: whether it does is the example's only condition.
    for word in words[len(own) :]:
        if not word.startswith(("-", "/", "s3:", "postgresql:")) and ("." in word or word.endswith("/")):
            (tmp_path / word).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / word).mkdir(exist_ok=True) if word.endswith("/") else (tmp_path / word).touch()

    context = COMMANDS[path].make_context(path, words[len(own) :])

    assert context.params


def test_examples_are_of_commands_that_there_are() -> None:
    assert set(EXAMPLES) <= set(COMMANDS)


def test_the_help_of_a_group_ends_with_an_example_of_one_of_its_commands() -> None:
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    groups = {name: group for name, group in found.items() if isinstance(group, click.Group)}
    assert set(groups) == set(OF_GROUPS)
    for name, group in groups.items():
        assert OF_GROUPS[name] in COMMANDS
        assert _example(group).startswith(f"{OF_GROUPS[name]} "), name


def test_help_is_not_delayed_by_a_line_about_loading(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["run", "--help"])
    told = capsys.readouterr()
    assert "loading" not in told.err
    assert "Example: swath run ard" in told.out
