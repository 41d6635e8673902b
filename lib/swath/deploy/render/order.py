"""A run as ordered: one job, one site, one run id, checked. Every renderer starts from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from swath.deploy.render.arguments import arguments, output_of
from swath.deploy.render.refusal import refusals, refuse
from swath.deploy.render.secret_scan import suspicious_arguments, suspicious_settings
from swath.deploy.render.spark_conf import spark_conf
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.names import RUN_LIMIT, check_name
from swath.deploy.site.refused import SiteRefusal
from swath.deploy.site.site import Site
from swath.settings import SUBMITTED_BY


@dataclass(frozen=True, kw_only=True)
class Order:
    """What runs, where, and under which name.

    Args:
        job: What.
        site: Where.
        run_id: Unique; the same id twice is the same run.
        attempt: 1, and one more for each time that the launcher starts the run again after a crash.
        submitted_by: Who submits it, for the run's row in the ledger; empty for the engine's own account.

    Raises:
        ConfigError: The site refuses the job, the run id is not a name, or a secret is in conf or arguments.
    """

    job: JobSpec
    site: Site
    run_id: str
    attempt: int = 1
    submitted_by: str = ""

    def __post_init__(self) -> None:
        """Check everything that can be known before anything is sent."""
        check_name(self.run_id, limit=RUN_LIMIT, what="run id")
        what = f"job {self.job.job} at site {self.site.site}"
        refuse(refusals(self.job, site=self.site), what=what)
        refuse(_secrets(self.conf, self.arguments), what=what)

    @cached_property
    def conf(self) -> Mapping[str, str]:
        """The Spark configuration."""
        conf = spark_conf(self.job, site=self.site, run_id=self.run_id)
        told = {f"spark.kubernetes.driverEnv.{SUBMITTED_BY}": self.submitted_by} if self.submitted_by else {}
        return dict(sorted({**conf, **told}.items()))

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of ``jobs/process.py``."""
        return arguments(self.job, site=self.site, run_id=self.run_id)

    @property
    def name(self) -> str:
        """The engine's name for this attempt: two submits of one attempt make one job."""
        return self.run_id if self.attempt == 1 else f"{self.run_id}-r{self.attempt}"

    @property
    def output(self) -> str:
        """Where the run writes."""
        return output_of(self.job, site=self.site)


def _secrets(conf: Mapping[str, str], words: Iterable[str]) -> Iterable[SiteRefusal]:
    """Secrets in places that end up in logs, event logs and API answers."""
    remedy = "Put it into a Kubernetes secret, or a profile file, and name that"
    for key, kind in suspicious_settings(conf):
        yield SiteRefusal("secret", f"the setting {key} holds {kind}", remedy)
    for start, kind in suspicious_arguments(words):
        yield SiteRefusal("secret", f"the argument {start} holds {kind}", remedy)
