"""Field types that job and site files share."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from swath.deploy.site.duration import seconds
from swath.deploy.site.memory import Memory
from swath.deploy.site.names import JOB_LIMIT, check_name
from swath.deploy.site.strict import checked


def _name(text: str) -> str:
    return check_name(text, limit=JOB_LIMIT, what="name")


def _duration(text: str) -> str:
    seconds(text)
    return text


MemorySize = Annotated[Memory, BeforeValidator(checked(Memory.parse))]
Duration = Annotated[str, AfterValidator(checked(_duration))]
JobName = Annotated[str, AfterValidator(checked(_name))]
LabelKey = Annotated[
    str, Field(pattern=r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")
]
LabelValue = Annotated[str, Field(max_length=63, pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$")]
Cores = Annotated[int, Field(ge=1, le=128)]
ModelPin = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+/[1-9][0-9]*(@sha256:[0-9a-f]{64})?$")]
