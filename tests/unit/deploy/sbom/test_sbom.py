import json
from collections.abc import Iterator
from email.message import Message
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest

from swath.deploy.sbom.component import Component
from swath.deploy.sbom.debian import debian_components
from swath.deploy.sbom.document import document
from swath.deploy.sbom.jars import jar_components
from swath.deploy.sbom.python_packages import python_components, read_lock
from swath.errors import ConfigError

ROOT = Path(__file__).resolve().parents[4]
_A, _B = "a" * 64, "b" * 64
LOCK = f"""# made by uv
numpy==2.3.4 \\
    --hash=sha256:{_B} \\
    --hash=sha256:{_A}
psycopg-binary==3.3.9 ; implementation_name != 'pypy' \\
    --hash=sha256:{_A}
pywin32==312 ; sys_platform == 'win32' \\
    --hash=sha256:{_A}
"""


class _Installed(Distribution):
    """A package as its metadata says."""

    def __init__(self, name: str, version: str, **headers: str) -> None:
        self._message = Message()
        for key, value in {"Name": name, "Version": version, **headers}.items():
            self._message[key.replace("_", "-")] = value

    @property
    def metadata(self) -> Any:
        return self._message

    def read_text(self, filename: str) -> str | None:
        return None

    def locate_file(self, path: Any) -> Any:
        return Path(path)


def _there(**more: Distribution) -> dict[str, Distribution]:
    return {
        "numpy": _Installed("numpy", "2.3.4", License_Expression="BSD-3-Clause AND 0BSD"),
        "psycopg-binary": _Installed("psycopg-binary", "3.3.9", License="LGPL-3.0-only"),
        "pip": _Installed("pip", "26"),
        **more,
    }


def test_packages_have_the_locks_hashes_and_the_licences_that_they_state() -> None:
    numpy, psycopg = python_components(read_lock(LOCK), installed=_there())
    assert (numpy.purl, numpy.sha256, numpy.licence) == ("pkg:pypi/numpy@2.3.4", (_A, _B), "BSD-3-Clause AND 0BSD")
    assert numpy.plain()["licenses"] == [{"expression": "BSD-3-Clause AND 0BSD"}]
    assert psycopg.licence == "LGPL-3.0-only"


@pytest.mark.parametrize(
    ("there", "message"),
    [
        (_there(evil=_Installed("evil", "1", License="MIT")), "evil: installed, but the lock does not list it"),
        (_there(numpy=_Installed("numpy", "2.3.5", License="BSD")), "numpy: 2.3.5 is installed, the lock says 2.3.4"),
        ({k: v for k, v in _there().items() if k != "numpy"}, "numpy 2.3.4: the lock lists it, and it is not installed"),
        (_there(numpy=_Installed("numpy", "2.3.4")), "numpy 2.3.4 names no licence"),
        (_there(numpy=_Installed("numpy", "2.3.4", License="UNKNOWN")), "numpy 2.3.4 names no licence"),
        (_there(numpy=_Installed("numpy", "2.3.4", License="AGPL-3.0")), "under AGPL-3.0, which no image may ship"),
        (
            _there(
                numpy=_Installed("numpy", "2.3.4", Classifier="License :: OSI Approved :: GNU Affero General Public License v3")
            ),
            "which no image may ship",
        ),
    ],
)
def test_another_environment_and_licences_that_bind_are_refused(there: dict[str, Distribution], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        list(python_components(read_lock(LOCK), installed=there))


@pytest.mark.parametrize(
    ("text", "message"), [("numpy==1\n", "no hash for numpy"), ("numpy>=1\n", "not a package with an exact version")]
)
def test_a_lock_without_hashes_or_exact_versions_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_lock(text)


def _jars() -> tuple[str, str]:
    folder = ROOT / "spark-operator"
    return (folder / "pom.xml").read_text(encoding="utf-8"), (folder / "jars.sha256").read_text(encoding="utf-8")


def test_jars_have_their_coordinates_and_digests() -> None:
    pom, digests = _jars()
    found = list(jar_components(pom, digests=digests))
    assert len(found) == len(digests.splitlines())
    by_purl = {c.purl: c for c in found}
    delta = by_purl["pkg:maven/io.delta/delta-spark_2.13@4.0.1"]
    assert f"{delta.sha256[0]}  delta-spark_2.13-4.0.1.jar" in digests


def test_a_jar_that_only_one_of_the_two_files_has_is_named() -> None:
    pom, digests = _jars()
    first, *rest = digests.splitlines()
    with pytest.raises(ConfigError, match=r"is in pom\.xml and has no line in jars\.sha256"):
        list(jar_components(pom, digests="\n".join(rest)))
    with pytest.raises(ConfigError, match=r"stray-1\.jar: in jars\.sha256 and not in pom\.xml"):
        list(jar_components(pom, digests=f"{digests}{first.split()[0]}  stray-1.jar\n"))


def test_debian_packages_are_listed_and_anything_else_is_refused() -> None:
    (found,) = debian_components("libc6\t2:2.36-9+deb12u1\tamd64\n")
    assert found.purl == "pkg:deb/debian/libc6@2%3A2.36-9%2Bdeb12u1?arch=amd64"
    with pytest.raises(ConfigError, match="is not a line of dpkg-query"):
        list(debian_components("libc6 2.36 amd64\n"))


def _components() -> Iterator[Component]:
    for name in ("b", "a"):
        yield Component(name=name, version="1", purl=f"pkg:pypi/{name}@1", licence="MIT", sha256=(_A,))


def test_equal_parts_give_equal_bytes_in_any_order() -> None:
    there, back = list(_components()), list(_components())[::-1]
    one, other = document(there, image="x", epoch=0), document(back, image="x", epoch=0)
    assert one == other
    told = json.loads(one)
    assert [c["name"] for c in told["components"]] == ["a", "b"]
    assert told["metadata"]["timestamp"] == "1970-01-01T00:00:00Z"
    assert json.loads(document(there, image="y"))["serialNumber"] != told["serialNumber"]
    assert "timestamp" not in json.loads(document(there, image="x"))["metadata"]
