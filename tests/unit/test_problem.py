"""Wrong values of a file, in the words of the file."""

from typing import Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from swath.problem import problem_text


class Settings(BaseModel):
    origin: tuple[float, float] = (0.0, 0.0)
    bands: list[str] = Field(default=["red"], min_length=1, max_length=2)
    rows: int = Field(default=1, ge=1, lt=9)
    share: float = Field(default=0.5, gt=0.0, le=1.0)
    kernel: Literal["nearest", "bilinear"] = "nearest"
    strict: bool = False
    name: str = "a"


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("origin", "0,0", "expected a list, such as [0, 0]; got '0,0'"),
        ("bands", "red", "expected a list; got 'red'"),
        ("bands", [], "expected at least 1 values; got []"),
        ("bands", ["a", "b", "c"], "expected at most 2 values; got ['a', 'b', 'c']"),
        ("rows", "many", "expected a whole number; got 'many'"),
        ("rows", 1.5, "expected a whole number; got 1.5"),
        ("rows", 0, "expected 1 or more; got 0"),
        ("rows", 9, "expected less than 9; got 9"),
        ("share", 0.0, "expected more than 0; got 0.0"),
        ("share", 1.5, "expected 1 or less; got 1.5"),
        ("kernel", "cubik", "expected 'nearest' or 'bilinear'; got 'cubik'"),
        ("strict", "perhaps", "expected true or false; got 'perhaps'"),
        ("name", 5, "expected text; got 5"),
    ],
)
def test_a_wrong_value_is_told_with_what_was_expected(field: str, value: object, told: str) -> None:
    with pytest.raises(ValidationError, match=field) as error:
        Settings.model_validate({field: value})
    assert problem_text(error.value.errors()[0]) == told


def test_what_is_not_to_be_repeated_is_not() -> None:
    with pytest.raises(ValidationError, match="rows") as error:
        Settings.model_validate({"rows": "a secret"})
    assert problem_text(error.value.errors(include_input=False)[0]) == "expected a whole number"
