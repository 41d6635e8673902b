import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.deploy.site.memory import Memory
from swath.errors import ConfigError


@pytest.mark.parametrize(("text", "mib"), [("1g", 1024), ("1536m", 1536), ("12g", 12288)])
def test_reads_what_spark_reads(text: str, mib: int) -> None:
    assert Memory.parse(text).mib == mib


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("1Gi", "1g"),
        ("1024Mi", "1g"),
        ("1.5g", "1536m"),
        ("1.5G", "1536m"),
        ("2048", "for example"),
        ("4GB", "4g"),
        ("0g", "for example"),
        ("lots", "for example"),
    ],
)
def test_refuses_what_spark_4_0_refuses_and_says_what_to_write(text: str, better: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){re.escape(text)}.*{better}"):
        Memory.parse(text)


@given(st.integers(1, 10**7))
def test_text_and_number_go_round(mib: int) -> None:
    assert Memory.parse(Memory(mib).spark).mib == mib


def test_nothing_is_not_an_amount() -> None:
    with pytest.raises(ConfigError, match="positive"):
        Memory(0)
