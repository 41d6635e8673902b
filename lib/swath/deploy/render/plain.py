"""Manifests as plain data, and their text."""

from collections.abc import Mapping
from typing import Any, Literal

import yaml

#: ``executor-gpu`` is an executor on a node with GPUs, where templates serve every job.
Role = Literal["driver", "executor", "executor-gpu"]
Manifest = dict[str, Any]


def as_yaml(data: Mapping[str, Any]) -> str:
    """YAML without anchors, keys in their order."""
    return yaml.dump(dict(data), Dumper=_NoAnchors, sort_keys=False, width=160, allow_unicode=True)


class _NoAnchors(yaml.SafeDumper):
    """Equal parts are written twice: anchors are hard to read."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature of the base class
        """Always."""
        return True
