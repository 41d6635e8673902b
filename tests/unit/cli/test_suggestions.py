"""What a user hears who writes a name or an option wrongly: what was probably meant, or how the command is written."""

from pathlib import Path

import pytest

from swath.cli.main import EXIT_CONFIG, main


def said(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit, match=rf"^{EXIT_CONFIG}$"):
        main(words)
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "last"),
    [
        (["satus", "out"], "Did you mean `swath status`?"),
        (["models", "regster", "m"], "Did you mean `swath models register`?"),
        (["sites", "show"], "`swath sites` has: diff, history-server, list, migration, pin"),
        (["retry"], "Example: swath retry out --error read"),
        (["reconcile", "out", "--fixx"], "Example: swath reconcile out --fix"),
    ],
)
def test_a_mistake_is_answered_with_what_to_write(words: list[str], last: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(words, capsys).splitlines()[-1] == last


def test_a_model_that_is_not_listed_is_said_beside_the_list(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["models", "list", "nowhere", "--output", str(tmp_path)])
    told = capsys.readouterr()
    assert told.out.splitlines()[0].startswith("model")
    assert "no model 'nowhere' in sqlite://" in told.err
