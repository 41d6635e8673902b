"""Everything that a site is given, as objects: rendered jobs, pod templates, its overlay, Flux, what others rendered."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from swath.deploy.bundle.named_images import title
from swath.deploy.engine import engine_of
from swath.deploy.render.order import Order
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.names import new_run_id
from swath.deploy.site.site import Site
from swath.errors import ConfigError

Object = Mapping[str, Any]
_KUSTOMIZE = Path("spark-operator/kustomize/overlays")
_FLUX = Path("spark-operator/flux/sites")


def delivery_objects(site: Site, *, jobs: Iterable[JobSpec], root: Path, others: Iterable[Path]) -> list[Object]:
    """Objects of a site's delivery.

    Args:
        site: The site.
        jobs: Jobs that run there.
        root: Checkout with ``spark-operator``.
        others: Files and folders of manifests that others rendered: ``helm template``, ``flux install --export``.

    Raises:
        ConfigError: Something cannot be rendered, or is no manifest.
    """
    found = [made for job in jobs for made in _rendered(job, site=site)]
    found += engine_of(site).pod_templates(site).values()
    found += [*_built(root / _KUSTOMIZE / site.site), *_flux(root, site=site.site)]
    return [*found, *(made for path in others for made in read_objects(path))]


def read_objects(path: Path) -> Iterator[Object]:
    """Manifests of a file, or of every YAML file below a folder.

    Raises:
        ConfigError: The file holds no manifest.
    """
    files = sorted(p for p in path.rglob("*") if p.suffix in {".yaml", ".yml", ".json"}) if path.is_dir() else [path]
    objects = [made for file in files for made in _manifests(_text(file), called=str(file))]
    if not objects:
        msg = f"{path}: no manifest in it"
        raise ConfigError(msg)
    yield from objects


def charts(objects: Iterable[Object]) -> dict[str, str]:
    """Charts that a delivery has the cluster fetch, as ``name-version``, each with the release that asks for it."""
    releases = [o for o in objects if o.get("kind") == "HelmRelease"]
    found = {}
    for made in releases:
        spec = made["spec"].get("chart", {}).get("spec", {})
        if not spec.get("chart") or not spec.get("version"):
            msg = f"{title(made)}: a chart without an exact version cannot be carried; name it in spec.chart.spec"
            raise ConfigError(msg)
        found[f"{spec['chart']}-{spec['version']}"] = title(made)
    return found


def rendered_charts(objects: Iterable[Object]) -> frozenset[str]:
    """Charts, as ``name-version``, whose rendered objects are there: their templates say so in a label."""
    labels = ((o.get("metadata") or {}).get("labels") or {} for o in objects)
    return frozenset(str(each["helm.sh/chart"]) for each in labels if "helm.sh/chart" in each)


def _rendered(job: JobSpec, *, site: Site) -> list[Object]:
    made = engine_of(site).plain(Order(job=job, site=site, run_id=new_run_id(job.job)))
    if isinstance(made, str):
        return [{"kind": "command", "name": job.job, "text": made}]
    # a request has no kind; messages name the objects by it
    return [{"kind": f"request to {site.engine}", "name": job.job, **made}]


def _flux(root: Path, *, site: str) -> Iterator[Object]:
    folder = root / _FLUX / site
    own = _built(folder)
    yield from own
    for made in own:
        if made.get("kind") == "Kustomization":
            yield from _built(root / made["spec"]["path"])


def _built(folder: Path) -> list[Object]:
    """What kustomize makes of a folder; nothing where a site has none."""
    if not folder.is_dir():
        return []
    program = shutil.which("kubectl")
    if program is None:
        msg = f"{folder}: kubectl builds it, and is not installed"
        raise ConfigError(msg)
    done = subprocess.run([program, "kustomize", str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"{folder}: kubectl kustomize: {done.stderr.strip()}"
        raise ConfigError(msg)
    return list(_manifests(done.stdout, called=str(folder)))


def _manifests(text: str, *, called: str) -> Iterator[Object]:
    try:
        for made in yaml.safe_load_all(text):
            if isinstance(made, Mapping) and made.get("kind") == "List":
                yield from made.get("items") or ()
            elif isinstance(made, Mapping):
                yield made
            elif made is not None:
                msg = f"{called}: holds {type(made).__name__}, expected a manifest"
                raise ConfigError(msg)
    except yaml.YAMLError as error:
        msg = f"{called}: not YAML: {error}"
        raise ConfigError(msg) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read: {error}"
        raise ConfigError(msg) from error
