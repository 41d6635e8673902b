"""What boto3 does when S3 does not: waits by the clock, reads credentials anew, or says in one line what is refused to whom.

It answers botocore's event ``needs-retry``: botocore signs each repetition anew, with the credentials as they are then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.exceptions import HTTPClientError

from swath.errors import ServiceError, StoreRefusedError
from swath.stores.patience import PatientCall

#: S3's words for "not now", beside every answer of the kind 5xx and 429 (501 means "never").
_BUSY = frozenset({
    "SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "RequestTimeoutException", "Throttling",
    "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException", "TooManyRequestsException",
    "RequestLimitExceeded", "BandwidthLimitExceeded", "PriorRequestNotComplete",
})  # fmt: skip
_BUSY_STATUS = frozenset({429, 500, 502, 503, 504, 509})
#: Credentials that were good once.
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"})
_DENIED = frozenset({
    "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "AccountProblem", "InvalidAccessKeyId", "SignatureDoesNotMatch",
    "InvalidToken", "Forbidden", "UnauthorizedAccess", "403", "401", "Unauthorized", "InvalidObjectState",
})  # fmt: skip
#: Begins what S3 says of a key of encryption that it may not or cannot use.
_KEY: Final = "KMS."
_THROTTLED: Final = "Throttl"
#: A bucket of another region than requests are signed for, or asked at another endpoint than its own.
_ELSEWHERE: Final = frozenset({
    "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException",
    "IncorrectEndpoint", "301", "307",
})  # fmt: skip
_REGION: Final = "x-amz-bucket-region"
_SKEWED = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"})
#: A difference that makes a store refuse signatures [s].
SKEW_S = 900.0
_NO_CERTIFICATE = "certificate verify failed"
_ACTIONS: Mapping[str, str] = {
    "HeadObject": "s3:GetObject", "ListObjectsV2": "s3:ListBucket", "HeadBucket": "s3:ListBucket",
    "CreateMultipartUpload": "s3:PutObject", "UploadPart": "s3:PutObject", "CompleteMultipartUpload": "s3:PutObject",
    "ListParts": "s3:ListMultipartUploadParts", "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "DeleteObjects": "s3:DeleteObject",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientCalls:
    """Decides what becomes of each answer of a client.

    Args:
        endpoint: Endpoint of the store; empty for Amazon's.
        seconds: Longest time that the store may be away.
        credentials: Credentials of the client; None if it signs nothing.
        anonymous: Nothing is signed, on purpose.
    """

    endpoint: str
    seconds: float
    credentials: Credentials | None
    anonymous: bool = False

    def register(self, events: Any) -> None:
        """Be asked before botocore's own handlers, whose number of tries is one."""
        events.register("before-call.s3", self.before)
        events.register_first("needs-retry.s3", self.after)
        # After botocore's own, which asks the region where the store says it.
        events.register_last("needs-retry.s3", self.elsewhere)

    def before(self, *, model: Any, context: dict[str, Any], **_: Any) -> None:
        """Check that there are credentials to sign with.

        Raises:
            StoreRefusedError: There are no credentials.
        """
        if self.credentials is None and not self.anonymous:
            uri = _uri(context)
            msg = (
                f"{uri}: no credentials were found for {model.name}; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or say anonymous in SWATH_STORES for a public bucket"
            )
            raise StoreRefusedError(msg, uri=uri, cause="credentials")

    def after(self, *, response: Any, operation: Any, caught_exception: Any, request_dict: Any, **_: Any) -> float | None:
        """Seconds until botocore repeats the request; None lets the answer pass.

        Raises:
            ServiceError: The store was away for longer than we wait.
            StoreRefusedError: The refusal is one that waiting does not change.
        """
        context = request_dict["context"]
        uri = _uri(context)
        call = context.setdefault("swath_call", PatientCall(service=self._service(uri), seconds=self.seconds))
        if caught_exception is not None:
            return self._unanswered(caught_exception, call=call, uri=uri, what=operation.name)
        http, parsed = response
        if http.status_code < 300:
            call.answered()
            return None
        error = parsed.get("Error", {})
        code, told = str(error.get("Code", "")), str(error.get("Message", ""))
        if code in _SKEWED or (code == "403" and abs(_ahead_s(http.headers)) > SKEW_S):
            raise StoreRefusedError(_skewed(uri, ahead_s=_ahead_s(http.headers)), uri=uri, cause="clock")
        throttled = code.startswith(_KEY) and _THROTTLED in code
        if code in _BUSY or http.status_code in _BUSY_STATUS or throttled:
            return self._waited(f"{http.status_code} {code}".strip(), call=call, uri=uri, what=operation.name)
        if code in _EXPIRED or (code == "400" and self._may_have_expired):
            self._read_again()
            return self._waited("the credentials have expired", call=call, uri=uri, what=operation.name)
        call.answered()
        if operation.name == "HeadBucket" and code in _ELSEWHERE and _REGION not in http.headers:
            # It is asked by botocore when a bucket is elsewhere, which would ask it again for this answer, without an end.
            self.elsewhere(response=response, request_dict=request_dict)
        if code == "NoSuchBucket":
            raise StoreRefusedError(self._no_bucket(uri), uri=uri, cause="bucket")
        if code in _DENIED or code.startswith(_KEY):
            raise StoreRefusedError(self._denied(uri, what=operation.name, why=_told(code, told)), uri=uri)
        return None

    def elsewhere(self, *, response: Any, request_dict: Any, **_: Any) -> None:
        """Refuse what botocore found no region for.

        Raises:
            StoreRefusedError: The bucket is in another region, or at another endpoint.
        """
        if response is None:
            return
        http, parsed = response
        error = parsed.get("Error", {})
        code = str(error.get("Code", ""))
        if code not in _ELSEWHERE:
            return
        uri = _uri(request_dict["context"])
        known = http.headers.get(_REGION) or error.get("Region") or error.get("Endpoint")
        msg = (
            f"{uri}: the bucket is of another region or endpoint{f' ({known})' if known else ''} than it was asked at"
            f" ({_told(code, str(error.get('Message', '')))}); set AWS_REGION, or region and endpoint in SWATH_STORES"
        )
        raise StoreRefusedError(msg, uri=uri, cause="region")

    def broken(self, why: Exception, *, call: PatientCall, uri: str) -> None:
        """A body broke off: wait before it is asked for again.

        Raises:
            ServiceError: The outage has lasted longer than the store's patience.
        """
        if not call.wait(_one_line(why)):
            raise ServiceError(self._away(uri, why=_one_line(why), what="GetObject"))

    def call(self, uri: str) -> PatientCall:
        """A request for ``broken``."""
        return PatientCall(service=self._service(uri), seconds=self.seconds)

    @property
    def _may_have_expired(self) -> bool:
        """An answer to HEAD has no body: an expired token is a 400 like others."""
        return self.credentials is not None and bool(self.credentials.token)

    def _unanswered(self, error: Exception, *, call: PatientCall, uri: str, what: str) -> float | None:
        if not isinstance(error, BotoConnectionError | HTTPClientError):
            return None
        why = _one_line(error)
        if _NO_CERTIFICATE in why.lower():
            msg = f"{uri}: the certificate of {self.endpoint or 'S3'} is not trusted ({why}); AWS_CA_BUNDLE names the authorities"
            raise StoreRefusedError(msg, uri=uri, cause="certificate") from error
        return self._waited(why, call=call, uri=uri, what=what)

    def _waited(self, why: str, *, call: PatientCall, uri: str, what: str) -> float:
        pause = call.pause(why)
        if pause is None:
            raise ServiceError(self._away(uri, why=why, what=what))
        return pause

    def _read_again(self) -> None:
        """Have the next signature made with credentials that were read after now."""
        if isinstance(self.credentials, RefreshableCredentials):
            expired: Any = self.credentials
            expired._expiry_time = datetime.now(UTC)  # noqa: SLF001  botocore has no word for it

    def _service(self, uri: str) -> str:
        bucket = "/".join(uri.split("/")[:3])
        return f"{bucket} at {self.endpoint}" if self.endpoint else bucket

    def _away(self, uri: str, *, why: str, what: str) -> str:
        return f"{self._service(uri)} was away for {self.seconds:.0f} s ({what} of {uri}: {why})"

    def _denied(self, uri: str, *, what: str, why: str) -> str:
        action = _ACTIONS.get(what, f"s3:{what}")
        return f"{uri}: {action} is refused to {self._identity()} ({why}); grant it, or use other credentials"

    def _no_bucket(self, uri: str) -> str:
        bucket = uri.split("/")[2]
        return f"bucket {bucket} does not exist at {self.endpoint or 'Amazon S3'} ({uri}); check its name and the endpoint"

    def _identity(self) -> str:
        """Who asks: the end of the key's public half, and where it was found."""
        if self.credentials is None or self.anonymous:
            return "everybody (requests are not signed)"
        key = self.credentials.get_frozen_credentials().access_key or ""
        return f"access key ...{key[-4:]} (from {self.credentials.method or 'nowhere'})"


def _uri(context: Mapping[str, Any]) -> str:
    """What a request is about."""
    asked = context.get("s3_redirect", {}).get("params") or context.get("input_params", {})
    below = asked.get("Key") or asked.get("Prefix") or ""
    return f"s3://{asked.get('Bucket', '')}/{below}"


def _ahead_s(headers: Mapping[str, str]) -> float:
    """Seconds by which this machine's clock is ahead of the store's; 0 if the store does not say."""
    try:
        there = parsedate_to_datetime(headers["Date"])
    except (KeyError, TypeError, ValueError):
        return 0.0
    return (datetime.now(UTC) - (there if there.tzinfo is not None else there.replace(tzinfo=UTC))).total_seconds()


def _skewed(uri: str, *, ahead_s: float) -> str:
    how = f"{abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} the store's" if ahead_s else "too far from the store's"
    return f"{uri}: this machine's clock is {how}, which refuses more than {SKEW_S:.0f} s; set the clock (NTP)"


def _told(code: str, message: str) -> str:
    return f"{code}: {message}" if message and message != code else code


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
