"""What all engines with pods answer alike; an engine adds its own to it."""

from collections.abc import Iterator, Mapping
from datetime import date

from swath.deploy.pods.conf import pod_conf
from swath.deploy.pods.refusals import lacking, pod_refusals
from swath.deploy.render.layout import HOME
from swath.deploy.site.border import Flow
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.refused import SiteRefusal
from swath.deploy.site.site import Site


class PodKind:
    """Drivers and executors are pods: see ``swath.deploy.site.engine_kind.EngineKind`` for each method."""

    shares_folders = False

    def lacks(self, site: Site) -> Iterator[str]:
        """An image and an identity."""
        return lacking(site)

    def master(self, _site: Site) -> str:
        """Never one machine."""
        return "k8s"

    def conf(self, job: JobSpec, *, site: Site, run_id: str) -> Mapping[str, str]:
        """Settings of pods."""
        return pod_conf(job, site=site, run_id=run_id)

    def variables(self, _site: Site) -> Mapping[str, str]:
        """Where a pod with a read-only root may write."""
        return {"HOME": HOME, "TMPDIR": "/tmp", "NUMBA_CACHE_DIR": "/tmp/numba", "MPLCONFIGDIR": "/tmp/mpl"}  # noqa: S108

    def sends(self, _site: Site) -> Iterator[tuple[Flow, str]]:
        """Nothing: the control plane is in the site."""
        return iter(())

    def refuse(self, job: JobSpec, *, site: Site) -> Iterator[SiteRefusal]:
        """What pods cannot do."""
        return pod_refusals(job, site=site)

    def support_ends(self, _site: Site) -> tuple[str, date] | None:
        """The image is the site's own."""
        return None

    def in_foreground(self, _order: object) -> None:
        """Pods run behind a launcher."""
        return
