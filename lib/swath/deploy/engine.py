"""An engine: what starts drivers at a site. A new one is a folder with an object of this form, and a row.

The row is an entry point of the group ``swath.engines``, or, for one that swath ships, a line in ``site/engines.py``.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol, cast

from swath.deploy.operate.run_status import Launcher
from swath.deploy.render.command import EngineCommand, Foreground
from swath.deploy.render.order import Order
from swath.deploy.render.plain import Manifest, Role
from swath.deploy.site.engine_kind import EngineKind
from swath.deploy.site.site import Site


class Engine(EngineKind, Protocol):
    """What is done with a run: rendered, launched, read back; ``EngineKind`` says what it needs and refuses."""

    @property
    def ends_late_runs(self) -> bool:
        """Whether the engine itself ends a run after its ``max_duration``."""
        ...

    def support_ends(self, site: Site) -> tuple[str, date] | None:
        """What of the engine at ``site`` has an end that is known, in words, and its last day; None without one."""
        ...

    def render(self, order: Order) -> str:
        """The text that the engine takes, or the one that makes runs by the calendar where the job has a schedule.

        Raises:
            ConfigError: The engine would refuse it.
        """
        ...

    def plain(self, order: Order) -> Mapping[str, Any] | str:
        """What ``render`` writes, as plain data; text where it is a command.

        Raises:
            ConfigError: The engine would refuse it.
        """
        ...

    def hand_over(self, order: Order) -> Mapping[str, Any]:
        """What an orchestrator gives to the engine to start ``order``.

        Raises:
            ConfigError: The engine starts nothing for others, or would refuse it.
        """
        ...

    def launch(self, site: Site, *, order: Order | None = None) -> Launcher:
        """Connect to the engine at ``site``, to submit ``order``, or without one for asking only.

        Raises:
            ConfigError: The engine starts nothing that could be asked about later, or refuses the order.
            LaunchError: There are no credentials.
        """
        ...

    def read_back(self, order: Order) -> EngineCommand:
        """Render ``order``, and read the command that it would run from the rendering alone."""
        ...

    def in_foreground(self, order: Order) -> Foreground | None:
        """The command that runs ``order`` here and now; None where it runs behind a launcher."""
        ...

    def pod_templates(self, site: Site) -> Mapping[Role, Manifest]:
        """Templates that serve every job of a site; empty where nothing is a pod."""
        ...


def engine_of(site: Site) -> Engine:
    """The engine of a site. It has all parts: naming it in a site file has checked that."""
    return cast("Engine", site.kind)


def launcher_for(site: Site, *, order: Order | None = None) -> Launcher:
    """Connect to the engine of ``site``; see ``Engine.launch``.

    Raises:
        ConfigError: The engine starts nothing that could be asked about later, or refuses the order.
        LaunchError: There are no credentials.
    """
    return engine_of(site).launch(site, order=order)
