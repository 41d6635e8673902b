"""What the plan of a run is made from, and where it is kept."""

from dataclasses import dataclass
from functools import cached_property

from swath.ledger.tables import Tables
from swath.runs.ingest import IngestRequest, StageProgress, run_path
from swath.runs.request import RunRequest
from swath.stores.base import Store

#: Parts of a plan in the folder of its run: what is known of each scene, and what becomes of each product.
FOUND, PLAN = "ingested", "plan"


@dataclass(frozen=True, kw_only=True)
class Planning:
    """A run that is planned.

    Args:
        store: Store of the plan.
        request: Request of the run.
        tables: The ledger.
        remembering: Add new scenes to the ledger; off for a look alone.
        progress: Told how many of how many inputs are read.
    """

    store: Store
    request: RunRequest
    tables: Tables
    remembering: bool = True
    progress: StageProgress | None = None

    @cached_property
    def asked(self) -> IngestRequest:
        """What is asked of each scene."""
        asked = self.request
        return IngestRequest(
            run_id=asked.run_id,
            inputs=asked.inputs,
            pipeline_json=asked.pipeline_json,
            strip_rows=asked.strip_rows,
            limit=asked.limit,
            limits=asked.limits,
            terms=asked.terms,
            internal_limit=asked.internal_limit,
        )

    def path(self, part: str) -> str:
        """Folder of a part of the plan, relative to the output."""
        return run_path(self.request.run_id, part)

    def has(self, part: str) -> bool:
        """Whether a part of the plan is complete."""
        return self.store.size(f"{self.path(part)}/_SUCCESS") is not None
