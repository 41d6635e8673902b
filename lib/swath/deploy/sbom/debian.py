"""Debian packages of an image, as dpkg lists them."""

from collections.abc import Iterator

from swath.deploy.sbom.component import Component
from swath.errors import ConfigError

#: ``dpkg-query -W -f`` this.
FORMAT = "${Package}\\t${Version}\\t${Architecture}\\n"


def debian_components(listing: str) -> Iterator[Component]:
    """Components of a listing in ``FORMAT``. Debian keeps licences in files of the image, not in its lists.

    Raises:
        ConfigError: A line is none of such a listing.
    """
    for line in listing.splitlines():
        fields = line.split("\t")
        if len(fields) != 3 or not all(fields):
            msg = f"{line!r} is not a line of dpkg-query: expected package, version and architecture with tabs"
            raise ConfigError(msg)
        name, version, architecture = fields
        purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={architecture}"
        yield Component(name=name, version=version, purl=purl, licence=f"as in /usr/share/doc/{name}/copyright")
