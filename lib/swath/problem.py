"""What is wrong with a value in a file of the user, in the words of the file's format."""

from collections.abc import Mapping
from typing import Any, Final

#: pydantic's kinds of errors, and what was expected in place of the value.
_EXPECTED: Final = {
    "tuple_type": "a list, such as [0, 0]",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "mapping_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number that is finite",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}
#: Kinds whose context has what was expected.
_FROM_CONTEXT: Final = {
    "literal_error": "{expected}",
    "enum": "{expected}",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "less than {lt:g}",
    "less_than_equal": "{le:g} or less",
    "too_short": "at least {min_length} values",
    "too_long": "at most {max_length} values",
}
_LONGEST: Final = 60


def problem_text(item: Mapping[str, Any]) -> str:
    """What was expected of a value and what came.

    Args:
        item: One of pydantic's ``ValidationError.errors()``; without its ``input`` the value is not repeated.
    """
    kind = str(item["type"])
    if kind == "missing":
        return "is needed and missing"
    expected = _EXPECTED.get(kind) or _FROM_CONTEXT.get(kind, "").format(**item.get("ctx", {}))
    if not expected:
        return str(item["msg"]).removeprefix("Value error, ")
    got = repr(item["input"]) if "input" in item else ""
    return f"expected {expected}" + (f"; got {got[:_LONGEST]}" if got else "")
