"""A disk that is full, and one that may only be read: one line, code 2, nothing half published, and the run goes on later."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from swath.simulator.damage import copied
from swath.simulator.simulate import simulate

pytestmark = [pytest.mark.spark, pytest.mark.slow]
SCENES = 3
#: A file system of its own, in a mount namespace of its own: a first run, more room, the same command again.
SCRIPT = """
set -u
disk=$1 notes=$2 size=$3 options=$4; shift 4
mount -t tmpfs -o size=$size none "$disk"
mkdir "$disk/out"
mount -o remount,size=$size,$options "$disk"
"$@" >"$notes/first.out" 2>"$notes/first.err"; echo $? >"$notes/first.code"
find "$disk" -name "*.json" -path "*/products/*" >"$notes/items"
mount -o remount,rw,size=300m "$disk"
"$@" >"$notes/again.out" 2>"$notes/again.err"; echo $? >"$notes/again.code"
"""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    for number in range(SCENES):
        made = simulate(kind="stac", folder=folder / f"simulated-{number}", size=512, truth=False, seed=number)
        copied(made, folder=folder / "in" / str(number), rename={made.scene_id: f"scene-{number}"})
    return folder / "in"


@pytest.mark.parametrize(
    ("size", "options", "told"),
    [
        ("2m", "rw", "swath: a disk is full: No space left on device; make room in the output"),
        ("100m", "ro", "cannot be written (Read-only file system): choose another --output, or correct its permissions"),
    ],
)
def test_an_output_without_room_is_one_line_and_the_run_goes_on_later(
    scenes: Path, tmp_path: Path, java: None, size: str, options: str, told: str
) -> None:
    disk, notes = tmp_path / "disk", tmp_path / "notes"
    disk.mkdir()
    notes.mkdir()
    run = [
        "run",
        "toa",
        "--input",
        str(scenes),
        "--output",
        str(disk / "out"),
        "--run-id",
        "r1",
        "--json",
        "--master",
        "local[1]",
    ]
    command = [sys.executable, "-m", "swath.cli", *run]
    words = ["unshare", "-rm", "sh", "-c", SCRIPT, "sh", str(disk), str(notes), size, options, *command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip(f"no file system of its own can be mounted here: {done.stderr.strip()}")
    said = {path.name: path.read_text(encoding="utf-8") for path in notes.iterdir()}
    assert said["first.code"].strip() == "2", said["first.err"]
    assert told in said["first.err"]
    assert len([line for line in said["first.err"].splitlines() if "swath: " in line or not line.startswith("[")]) == 1
    assert said["items"] == "", "no item is there before all of its product is"
    assert said["again.code"].strip() == "0", said["again.err"]
    result = json.loads(said["again.out"].splitlines()[-1])
    assert (result["scenes_in"], result["made"], result["quarantined"], result["balanced"]) == (SCENES, SCENES, 0, True)
