"""A bundle at the site: whole in a folder of its own, and then the one that counts; never half."""

import os
import shutil
import tempfile
from pathlib import Path

from swath.deploy.bundle.content import LIST, BundleContent
from swath.deploy.bundle.verify import refuse_altered
from swath.errors import ConfigError

#: The link that says which bundle counts.
CURRENT = "current"


def installed(place: Path) -> BundleContent | None:
    """The bundle that counts at a place; None without one."""
    return BundleContent.read(place / CURRENT) if (place / CURRENT / LIST).is_file() else None


def refuse_older(content: BundleContent, *, place: Path, downgrade: bool) -> None:
    """Refuse a bundle of another site, or one that is older than what is installed.

    Raises:
        ConfigError: The bundle is older, and a downgrade was not requested.
    """
    there = installed(place)
    if there is None:
        return
    if there.site != content.site:
        msg = f"{place}: has a bundle of site {there.site}, this one is for {content.site}"
        raise ConfigError(msg)
    if content.made < there.made and not downgrade:
        msg = f"the bundle was made {content.made}, what is installed in {place} {there.made}; --downgrade takes the older one"
        raise ConfigError(msg)


def install(bundle: Path, *, content: BundleContent, place: Path) -> Path:
    """Install a verified bundle; the folder that counts now.

    Args:
        bundle: Folder; a delta takes what it leaves out from what is installed.
        content: List.
        place: Folder where the site keeps bundles.

    Raises:
        ConfigError: The disk is full or refuses a file; what counted before counts still.
    """
    target = place / f"{content.made.replace(':', '')}-{content.commit[:12]}"
    if target.exists():
        _point(place, target)
        return target
    place.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=place, prefix=".incoming-"))
    try:
        for file in content.files:
            _take(bundle, file.path, draft=draft, before=place / CURRENT)
            refuse_altered(draft / file.path, file)
        for name in (f"{LIST}.sig", LIST):
            _take(bundle, name, draft=draft, before=place / CURRENT)
        draft.chmod(0o755)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _point(place, target)
    return target


def _take(bundle: Path, name: str, *, draft: Path, before: Path) -> None:
    source = bundle / name if (bundle / name).is_file() else before / name
    try:
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, draft / name)
    except OSError as error:
        msg = f"{name}: cannot be installed: {error.strerror}; nothing was installed"
        raise ConfigError(msg) from error


def _point(place: Path, target: Path) -> None:
    """Let the link mean another bundle, in one step."""
    draft = place / f".{CURRENT}-{os.getpid()}"
    draft.unlink(missing_ok=True)
    draft.symlink_to(target.name)
    draft.replace(place / CURRENT)
