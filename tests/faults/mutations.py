"""Damage to a delivery, the way that disks, transfers and people do it; drawn from a seed."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np

Rng = np.random.Generator
#: Files that tell of the pixels rather than hold them.
TEXT: Final = frozenset({".txt", ".json", ".xml", ".safe"})
#: What no honest delivery says. Numbers first, then what should not be there at all.
ABSURD: Final = (
    "NaN", "-1e308", "1e999", "0", "-1", "999999999999", "0.0000001", "2147483648", "1e-320", "-9999",
    "", "null", "[]", "{}", "true", "\x00", "../../../../etc/passwd", "/dev/zero", "/dev/stdin", "http://127.0.0.1:1/x.tif",
    "/vsizip//vsicurl/x", "2024-13-45T99:99:99Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "EPSG:0", "A" * 70_000,
    "\u202e\ud7ff", "&lol;", "%s%n%s", "99999",
)  # fmt: skip
_VALUE = re.compile(rb'(?<=[=:>"\[, ])[^\s"=<>\[\]{},]{1,80}(?=["<,\]}\s])')


def draw(folder: Path, *, rng: Rng) -> str:
    """Damage one delivery in place, once or twice; what was done, for the table and for who looks into it."""
    told = []
    for _ in range(1 + int(rng.random() < 0.25)):
        name = str(rng.choice(sorted(KINDS)))
        told.append(f"{name}: {KINDS[name](folder, rng)}")
    return "; ".join(told)


def spoil_text(folder: Path, *, rng: Rng) -> str:
    """Damage the metadata of one delivery in place, once to three times; what was done."""
    told = []
    for _ in range(1 + int(rng.integers(3))):
        path = _pick(folder, rng, text=True)
        data = path.read_bytes()
        how = int(rng.integers(5))
        start, stop = _range(len(data), rng)
        noise = rng.bytes(min(stop - start, 64))
        if how == 0:
            told.append(f"absurd value: {_absurd(folder, rng)}")
        elif how == 1:
            told.append(f"line dropped: {_drop_line(folder, rng)}")
        else:
            path.write_bytes((data[:start], data[:start] + noise + data[stop:], data[:stop] + data[start:])[how - 2])
            told.append(f"{('truncated', 'overwritten', 'repeated')[how - 2]}: {path.name} from {start} to {stop}")
    return "; ".join(told)


def _pick(folder: Path, rng: Rng, *, text: bool | None = None) -> Path:
    """A file: metadata as often as pixels, although pixels have more files."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    wanted = rng.random() < 0.5 if text is None else text
    return _one([p for p in files if (p.suffix.lower() in TEXT) == wanted] or files, rng)


def _one(paths: list[Path], rng: Rng) -> Path:
    return paths[int(rng.integers(len(paths)))]


def _range(length: int, rng: Rng) -> tuple[int, int]:
    start = int(rng.integers(max(length, 1)))
    return start, min(start + 1 + int(rng.integers(max(length // 4, 1))), length)


def _flip(folder: Path, rng: Rng) -> str:
    path = _pick(folder, rng)
    data = bytearray(path.read_bytes())
    # Headers matter most and are short: half of the flips go to the first 1024 bytes.
    reach = min(len(data), 1024) if rng.random() < 0.5 else len(data)
    for _ in range(1 + int(rng.integers(16)) if reach else 0):
        data[int(rng.integers(reach))] ^= 1 << int(rng.integers(8))
    path.write_bytes(data)
    return path.name


def _truncate(folder: Path, rng: Rng) -> str:
    path = _pick(folder, rng)
    data = path.read_bytes()
    keep = int(rng.integers(len(data) + 1)) if rng.random() < 0.8 else 0
    path.write_bytes(data[:keep])
    return f"{path.name} after {keep}"


def _zero(folder: Path, rng: Rng) -> str:
    path = _pick(folder, rng)
    data = bytearray(path.read_bytes())
    start, stop = _range(len(data), rng)
    data[start:stop] = bytes(stop - start)
    path.write_bytes(data)
    return f"{path.name} from {start} to {stop}"


def _noise(folder: Path, rng: Rng) -> str:
    path = _pick(folder, rng)
    data = bytearray(path.read_bytes())
    start, stop = _range(len(data), rng)
    data[start:stop] = rng.bytes(stop - start)
    path.write_bytes(data)
    return f"{path.name} from {start} to {stop}"


def _repeat(folder: Path, rng: Rng) -> str:
    """A range twice, as a resumed transfer leaves it."""
    path = _pick(folder, rng)
    data = path.read_bytes()
    start, stop = _range(len(data), rng)
    path.write_bytes(data[:stop] + data[start:])
    return f"{path.name} from {start} to {stop}"


def _swap(folder: Path, rng: Rng) -> str:
    one, other = _pick(folder, rng), _pick(folder, rng)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    return f"{one.name} and {other.name}"


def _rename(folder: Path, rng: Rng) -> str:
    path = _pick(folder, rng)
    suffix = str(rng.choice([path.suffix, path.suffix.upper(), ".bak", ".json", ""]))
    name = f"{path.stem[: int(rng.integers(len(path.stem) + 1))]}x{suffix}"
    path.rename(path.with_name(name))
    return f"{path.name} to {name}"


def _remove(folder: Path, rng: Rng) -> str:
    path = _pick(folder, rng)
    path.unlink()
    return path.name


def _folder_instead(folder: Path, rng: Rng) -> str:
    path = _pick(folder, rng)
    path.unlink()
    path.mkdir()
    return path.name


def _loop(folder: Path, rng: Rng) -> str:
    """A link to itself."""
    path = _pick(folder, rng)
    path.unlink()
    path.symlink_to(path.name)
    return path.name


def _device(folder: Path, rng: Rng) -> str:
    """A file that never ends, one that never answers, one that is always empty."""
    path = _pick(folder, rng)
    path.unlink()
    name = str(rng.choice(["/dev/zero", "/dev/null", "a pipe"]))
    if name == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(name)
    return f"{path.name} to {name}"


def _absurd(folder: Path, rng: Rng) -> str:
    """A value of the metadata replaced by one that nobody expects."""
    path = _pick(folder, rng, text=True)
    data = path.read_bytes()
    values = list(_VALUE.finditer(data))
    if not values:
        return f"{path.name} has no values"
    value = values[int(rng.integers(len(values)))]
    absurd = ABSURD[int(rng.integers(len(ABSURD)))]
    path.write_bytes(data[: value.start()] + absurd.encode() + data[value.end() :])
    return f"{path.name}: {value.group().decode(errors='replace')} to {absurd[:24]!r}"


def _drop_line(folder: Path, rng: Rng) -> str:
    path = _pick(folder, rng, text=True)
    lines = path.read_bytes().splitlines(keepends=True)
    at = int(rng.integers(max(len(lines), 1)))
    path.write_bytes(b"".join(lines[:at] + lines[at + 1 :]))
    return f"{path.name} line {at + 1}"


KINDS: Final[Mapping[str, Callable[[Path, Rng], str]]] = {
    "bits flipped": _flip,
    "truncated": _truncate,
    "zeroed": _zero,
    "overwritten": _noise,
    "range repeated": _repeat,
    "swapped": _swap,
    "renamed": _rename,
    "removed": _remove,
    "a folder instead": _folder_instead,
    "a link to itself": _loop,
    "a device instead": _device,
    "absurd value": _absurd,
    "line dropped": _drop_line,
}
