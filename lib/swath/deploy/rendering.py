"""What an engine is given, as plain data and as text."""

from collections.abc import Mapping
from pathlib import Path

from swath.deploy.engine import engine_of
from swath.deploy.render.border_refusals import engine_sends
from swath.deploy.render.order import Order
from swath.deploy.render.plain import Manifest, Role, as_yaml
from swath.deploy.site.border import Crossing, crossings
from swath.deploy.site.site import Site
from swath.errors import ConfigError


def render(order: Order) -> str:
    """The text that the site's engine takes: YAML, JSON, or a shell command.

    Raises:
        ConfigError: The engine would refuse it.
    """
    return engine_of(order.site).render(order)


def pod_templates(site: Site) -> Mapping[Role, Manifest]:
    """Templates that serve every job of a site."""
    return engine_of(site).pod_templates(site)


def write_pod_templates(site: Site, *, folder: Path) -> tuple[Path, ...]:
    """Write ``driver.yaml`` and ``executor.yaml`` into ``folder/<site>``.

    Raises:
        ConfigError: The site's engine starts no pods.
    """
    templates = pod_templates(site)
    if not templates:
        raise ConfigError(f"site {site.site} has engine {site.engine}, which has no pods, so there are no pod templates")
    place = folder / site.site
    place.mkdir(parents=True, exist_ok=True)
    paths = {role: place / f"{role}.yaml" for role in templates}
    for role, template in templates.items():
        paths[role].write_text(as_yaml(template), encoding="utf-8")
    return tuple(paths.values())


def border_table(order: Order) -> tuple[Crossing, ...]:
    """What of a run may leave its site."""
    sends = engine_sends(order.job, site=order.site)
    return tuple(crossings(order.site.border, engine_sends=sends, engine=order.site.engine))
