"""Jobs and sites for the tests of the renderers; container engines."""

from tests.deploy.container_engine import engine, podman, podman_settings
from tests.deploy.jobs_and_sites import change, job, order, shipped_conf

__all__ = ["change", "engine", "job", "order", "podman", "podman_settings", "shipped_conf"]
