"""What Spark says of a store that is away or refuses: its errors reach us as the text of a Java exception alone."""

import re
from typing import Final

from swath.errors import ServiceError, StoreRefusedError

_LINE: Final = 300
#: S3A's exceptions and the SDK's words for "not now". The name of a class, not a number: paths have numbers too.
_AWAY: Final = re.compile(
    r"AWSServiceThrottledException|AWSStatus500Exception|AWSApiCallTimeoutException"
    r"|SdkClientException: Unable to execute HTTP request|Status Code: (?:429|50[0234])\b|SlowDown"
    r"|org\.apache\.hadoop\.net\.ConnectTimeoutException"
    r"|UnknownHostException: [^\n]*s3|ExpiredToken"
)
_REFUSED: Final = re.compile(
    r"java\.nio\.file\.AccessDeniedException|RequestTimeTooSkewed|NoSuchBucket|UnknownStoreException"
    r"|AWSRedirectException|AuthorizationHeaderMalformed|KMS\.\w+Exception|InvalidAccessKeyId|SignatureDoesNotMatch"
)
_S3A: Final = re.compile(r"s3a?://[^\s:'\",)\]]+")


def told_by_spark(text: str) -> ServiceError | StoreRefusedError | None:
    """The store's fault, if the text of an exception names one.

    Args:
        text: Text of the exception; may contain several tracebacks.
    """
    if not ("s3a" in text or "software.amazon" in text):
        return None
    place = _S3A.search(text)
    where = place[0].replace("s3a://", "s3://", 1) if place else ""
    for pattern, kind in ((_REFUSED, StoreRefusedError), (_AWAY, ServiceError)):
        line = next((line.strip() for line in text.splitlines() if pattern.search(line)), None)
        if line is not None:
            what = "was away" if kind is ServiceError else "refuses us"
            return kind(f"{where or 'the store'} {what}, as Spark says it: {line[:_LINE]}")
    return None
