"""The wheel alone: an environment with nothing but what it asks for, read-only for its user, and no checkout beside it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploy.environments import ROOT

from swath.spark.start.jars import DELTA_JARS, delta_class_path

pytestmark = [pytest.mark.tools, pytest.mark.timeout(1800)]
#: Root without its right to pass over permissions. Another user could not reach an interpreter below root's home.
_BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
UV = str(Path(sys.executable).with_name("uv"))


def _done(*words: object, **more: object) -> None:
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    if done.returncode:
        pytest.fail(f"{words}: {done.stderr[-2000:]}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``env``, the environment."""
    home = tmp_path_factory.mktemp("alone")
    _done("git", "clone", "-q", ROOT, home / "source")
    build = (UV, "build", "--quiet", "--offline", "--wheel", "--no-build-isolation", "--python", sys.executable)
    _done(*build, "--out-dir", home, home / "source")
    (wheel,) = home.glob("swath-*.whl")
    # Versions of the lock; what is asked for is the wheel's own business.
    pinned = [
        line.split(" ")[0] for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines() if "==" in line
    ]
    (home / "pins.txt").write_text("\n".join(pinned), encoding="utf-8")
    _done(UV, "venv", "-q", "--python", sys.base_prefix + "/bin/python3", home / "env")
    certificates = ["--system-certs"] if Path("/etc/ssl/certs/ca-certificates.crt").exists() else []
    python = home / "env" / "bin" / "python"
    installed = subprocess.run(
        [UV, "pip", "install", "-q", *certificates, "--python", str(python), f"{wheel}[train]", "-c", str(home / "pins.txt")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if installed.returncode:
        pytest.skip(f"packages cannot be installed here: {installed.stderr.strip()[-300:]}")
    shutil.rmtree(home / "source")
    return home


def test_swath_demo_works_for_a_user_who_may_write_nothing_of_it(home: Path) -> None:
    out, cache = home / "out", home / "home" / ".cache" / "swath" / "jars"
    out.mkdir()
    cache.mkdir(parents=True)
    # What the demo would fetch; here it is not asked of the net again.
    for jar in delta_class_path():
        if jar.name in {j.name for j in DELTA_JARS}:
            shutil.copy(jar, cache)
    _done("chmod", "-R", "a-w", home / "env")
    environment = {"HOME": str(home / "home"), "PATH": "/usr/bin:/bin"}
    words = [*_BOUND, str(home / "env" / "bin" / "swath"), "demo", "--output", "demo"]

    ended = subprocess.run(words, cwd=out, env=environment, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "3 scenes in = 2 made + 0 skipped + 1 quarantined; the account balances" in ended.stderr
    assert (out / "demo" / "reports" / "demo.html").stat().st_size > 100_000
    ortho = (out / "demo" / "reports" / "demo-ortho.html").read_text(encoding="utf-8")
    assert all(shown in ortho for shown in ("Known ground points", "Raw image", "data:image/png"))
    assert sorted(p.name for p in out.iterdir()) == ["demo"]
