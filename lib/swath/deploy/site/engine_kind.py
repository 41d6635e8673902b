"""What the common files ask of an engine: none of them knows one by its name."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from swath.deploy.site.border import Flow
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.refused import SiteRefusal

if TYPE_CHECKING:
    from swath.deploy.site.site import Site


class EngineKind(Protocol):
    """One way to start drivers, as site files name it. ``swath.deploy.engine.Engine`` adds what is done with a run."""

    @property
    def name(self) -> str:
        """The word in site files."""
        ...

    @property
    def shares_folders(self) -> bool:
        """Drivers and executors see the folders of the machine that submits; pods do not."""
        ...

    def lacks(self, site: "Site") -> Iterator[str]:
        """What the engine cannot do without and the site file does not say, each as a sentence."""
        ...

    def master(self, site: "Site") -> str:
        """Master as far as settings depend on it: ``local[...]`` for one machine, anything else for several."""
        ...

    def conf(self, job: JobSpec, *, site: "Site", run_id: str) -> Mapping[str, str]:
        """Spark settings beside those that every engine gets."""
        ...

    def variables(self, site: "Site") -> Mapping[str, str]:
        """Environment of drivers and executors beside what every engine gives them."""
        ...

    def sends(self, site: "Site") -> Iterator[tuple[Flow, str]]:
        """What the engine itself sends out of the site for a run, and where to."""
        ...

    def refuse(self, job: JobSpec, *, site: "Site") -> Iterator[SiteRefusal]:
        """What the engine would turn down later, or could not do."""
        ...
