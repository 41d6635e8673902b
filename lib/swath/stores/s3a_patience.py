"""The same patience for S3A, which counts tries: Hadoop's pauses double, from half a second, and differ at random.

See ``S3ARetryPolicy`` and ``RetryPolicies.exponentialBackoffRetry`` of Hadoop 3.4.
"""

import math
from collections.abc import Iterator

_FIRST_S = 0.5


def s3a_patience(seconds: float) -> Iterator[tuple[str, str]]:
    """Settings of a bucket, without their prefix, with which S3A waits about so long for a store that is away or too busy."""
    tries = max(math.ceil(math.log2(seconds / _FIRST_S + 1)), 1)
    interval = f"{round(_FIRST_S * 1000)}ms"
    for kind in ("retry", "retry.throttle"):
        yield f"{kind}.limit", str(tries)
        yield f"{kind}.interval", interval
