"""Machine code: the same answers, kept where it can be kept; optional libraries that are hidden are back afterwards."""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from swath.compiled import absent, machine_code, using
from swath.lookup import looked_up

LIB = Path(__file__).resolve().parents[2] / "lib"


def test_without_a_folder_for_machine_code_a_function_is_compiled_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    real = numba.njit
    # numba loads parts of itself, compiled ones too, when it compiles for the first time.
    assert machine_code(lambda x: x + 2)(2) == 4

    def njit(*, nogil: bool, cache: bool = False) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(nogil=nogil)

    monkeypatch.setattr(numba, "njit", njit)
    assert machine_code(lambda x: x + 1)(2) == 3


def test_nothing_is_compiled_before_the_first_call() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; import swath.lookup, swath.algo.reduction; print('numba' in sys.modules)"],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": str(LIB)},
    )  # fmt: skip
    assert done.stdout.strip() == "False"


def test_a_function_is_compiled_with_its_parts_and_kept(tmp_path: Path) -> None:
    """The second process finds machine code; after a change of the part the third does not, and answers anew."""
    code = """
from swath.compiled import using

def _part(x):
    return x + 1

@using(_part)
def whole(x):
    return 2 * _part(x)
"""
    ask = "import parted, swath.compiled; print(parted.whole(20), sum(swath.compiled._KNOWN[-1][1][0].stats.cache_hits.values()))"

    def asked() -> str:
        done = subprocess.run(
            [sys.executable, "-c", ask], capture_output=True, text=True, check=True, env={"PYTHONPATH": f"{LIB}:{tmp_path}"}
        )
        return done.stdout.strip()

    (tmp_path / "parted.py").write_text(code)
    assert [asked(), asked()] == ["42 0", "42 1"]
    (tmp_path / "parted.py").write_text(code.replace("x + 1", "x + 10"))
    assert asked() == "60 0"


def test_a_part_of_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match=r"to be compiled with looked_up of another file, swath\.lookup"):
        using(looked_up)(lambda x: x)


def test_an_absent_library_cannot_be_imported_and_is_back_afterwards() -> None:
    sys.modules.pop("colorsys", None)
    with absent("colorsys", "sys"), pytest.raises(ImportError, match="colorsys"):
        importlib.import_module("colorsys")
    assert importlib.import_module("colorsys").rgb_to_hsv(0.0, 0.0, 0.0) == (0.0, 0.0, 0.0)
    assert sys.modules["sys"] is sys


@pytest.mark.parametrize("bits", [8, 16])
def test_looking_up_equals_numpys_take(bits: int) -> None:
    rng = np.random.default_rng(bits)
    codes = rng.integers(0, 1 << bits, (40, 31)).astype(f"uint{bits}")
    table = rng.normal(size=1 << bits)
    np.testing.assert_array_equal(looked_up(table, codes[:, 3:17]), np.take(table, codes[:, 3:17]))


@pytest.mark.parametrize("codes", [np.zeros((2, 2), dtype=np.uint16), np.zeros((2, 2), dtype=np.int8)])
def test_a_table_that_lacks_entries_is_refused(codes: Any) -> None:
    with pytest.raises(ValueError, match="a table of 256 entries"):
        looked_up(np.zeros(256), codes)


def test_machine_code_that_an_earlier_version_left_is_compiled_anew(tmp_path: Path) -> None:
    """numba unpickles its index before it looks at its date: a class that is gone by now must not end a run."""
    (tmp_path / "kept.py").write_text(
        "from typing import NamedTuple\n"
        "from swath.compiled import machine_code\n"
        "class Before(NamedTuple):\n    a: float\n"
        "@machine_code\ndef doubled(x):\n    return 2 * x.a\n"
        "print(doubled(Before(a=1.5)))\n"
    )

    def run() -> str:
        done = subprocess.run(
            [sys.executable, "-c", "import kept"], capture_output=True, text=True, check=False, cwd=tmp_path,
            env={"PYTHONPATH": f"{tmp_path}:{LIB}"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert run() == "3.0"
    source = tmp_path / "kept.py"
    source.write_text(source.read_text().replace("Before", "After"))
    assert run() == "3.0"
