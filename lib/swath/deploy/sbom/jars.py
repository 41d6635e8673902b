"""Jars that are baked into the on-premises image, by the coordinates of its pom and the digests that its build checks."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from swath.deploy.sbom.component import Component
from swath.errors import ConfigError

_SPACE = "{http://maven.apache.org/POM/4.0.0}"
#: Licences by group, from the poms of the artifacts.
_LICENCES = {
    "io.delta": "Apache-2.0",
    "org.apache.hadoop": "Apache-2.0",
    "org.reactivestreams": "MIT-0",
    "software.amazon.awssdk": "Apache-2.0",
    "software.amazon.eventstream": "Apache-2.0",
}


def jar_components(pom: str, *, digests: str) -> Iterator[Component]:
    """Components of the image's own jars; Spark's come with the package pyspark.

    Args:
        pom: Text of ``pom.xml``.
        digests: Text of ``jars.sha256``.

    Raises:
        ConfigError: One of the two files lacks a jar of the other, or the licence of a group is not known.
    """
    listed = {name: digest for digest, name in (line.split() for line in digests.splitlines() if line.strip())}
    for dependency in ET.fromstring(pom).iterfind(f"{_SPACE}dependencies/{_SPACE}dependency"):  # noqa: S314  our own file
        group, name, version = (dependency.findtext(f"{_SPACE}{tag}", "") for tag in ("groupId", "artifactId", "version"))
        digest = listed.pop(f"{name}-{version}.jar", None)
        if digest is None:
            msg = f"{group}:{name}:{version} is in pom.xml and has no line in jars.sha256"
            raise ConfigError(msg)
        purl = f"pkg:maven/{group}/{name}@{version}"
        yield Component(name=name, version=version, purl=purl, licence=_LICENCES.get(group, ""), sha256=(digest,))
    if listed:
        msg = f"{', '.join(sorted(listed))}: in jars.sha256 and not in pom.xml"
        raise ConfigError(msg)
