"""Jobs and sites for the tests of the renderers."""

from tests.deploy.jobs_and_sites import change, job, order, shipped_conf

__all__ = ["change", "job", "order", "shipped_conf"]
