"""Where a site wants beats to go, as the environment of its pods says it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from swath.errors import ConfigError
from swath.metrics.pushgateway import Pushgateway
from swath.metrics.told import Listener


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """Services that are reported.

    Args:
        namespace: Namespace of metrics in CloudWatch.
        group: Log group; empty for none.
        region: Region of the log group.
        profile: Profile of the AWS files, where the log group needs credentials of its own.
        pushgateway: URL; empty for none.
    """

    namespace: str = "swath"
    group: str = ""
    region: str = ""
    profile: str = ""
    pushgateway: str = ""

    def to_json(self) -> str:
        """For the environment; empty if nothing receives beats."""
        if not (self.group or self.pushgateway):
            return ""
        return json.dumps({name: value for name, value in asdict(self).items() if value}, sort_keys=True, separators=(",", ":"))

    @classmethod
    def of(cls, text: str) -> "Destinations":
        """The inverse of ``to_json``.

        Raises:
            ConfigError: The value has another form.
        """
        try:
            plain: Mapping[str, str] = json.loads(text or "{}")
            return cls(**plain)
        except (ValueError, TypeError) as error:
            msg = f"SWATH_METRICS is {text!r}; expected JSON with {', '.join(cls.__dataclass_fields__)}"
            raise ConfigError(msg) from error

    def listeners(self, run_id: str, *, say: Callable[[str], None]) -> tuple[Listener, ...]:
        """Connections for one run. Services that cannot be reached are reported and left out."""
        found: list[Listener] = [Pushgateway(self.pushgateway)] if self.pushgateway else []
        if self.group:
            from botocore.exceptions import BotoCoreError  # noqa: PLC0415  a run without CloudWatch needs no boto3

            from swath.metrics.cloudwatch import LogEvents  # noqa: PLC0415  as above

            wanted = {"namespace": self.namespace, "region": self.region, "profile": self.profile}
            try:
                found.append(LogEvents.connect(self.group, run_id=run_id, **wanted))
            except BotoCoreError as error:
                say(f"metrics: CloudWatch log group {self.group} is left out: {error}")
        return tuple(found)
