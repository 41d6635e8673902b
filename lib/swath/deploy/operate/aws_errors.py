"""What an error of AWS means, and whether asking again may help."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as AwsConnectionError,
)

from swath.deploy.operate.launch_error import LaunchError
from swath.errors import ConfigError

_EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "UnrecognizedClientException", "InvalidClientTokenId"}
)
_BUSY = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "InternalServerException",
        "ServiceUnavailable",
    }
)
_SKEWED = ("Signature expired", "Signature not yet current", "RequestTimeTooSkewed", "is now earlier than", "is now later than")


@contextmanager
def in_words() -> Iterator[None]:
    """Turn errors of boto3 into ours.

    Raises:
        ConfigError: The request is wrong.
        LaunchError: Everything else; ``passing`` where asking again may help.
    """
    try:
        yield
    except ClientError as error:
        raise _answered(error) from error
    except (NoCredentialsError, PartialCredentialsError, TokenRetrievalError) as error:
        raise LaunchError("there are no AWS credentials", remedy="Log in, or name a profile in AWS_PROFILE") from error
    except ProfileNotFound as error:
        remedy = "A store of the site asks with it: add it to this machine's AWS files, as pods have it in theirs"
        raise LaunchError(str(error), remedy=remedy) from error
    except (AwsConnectionError, HTTPClientError) as error:
        raise LaunchError(
            f"AWS does not answer: {type(error).__name__}", remedy="Look at the link, the proxy and the endpoint", passing=True
        ) from error
    except BotoCoreError as error:
        raise ConfigError(f"the AWS request cannot be made: {error}") from error


def _answered(error: ClientError) -> Exception:
    """What an answer with an error code means."""
    told = error.response.get("Error", {})
    code, message = str(told.get("Code", "")), str(told.get("Message", ""))
    if any(sign in f"{code} {message}" for sign in _SKEWED):
        remedy = "SigV4 allows five minutes. Set the clock (NTP); a site without a link needs a time source of its own"
        return LaunchError(f"this machine's clock is off: {message}", remedy=remedy)
    if code in _EXPIRED or "security token" in message:
        return LaunchError(f"the AWS credentials have expired or are not valid: {message}", remedy="Log in again")
    return _by_code(code, message)


def _by_code(code: str, message: str) -> Exception:
    """Errors that the code alone tells apart."""
    if code in _BUSY:
        return LaunchError(f"AWS is busy ({code})", remedy="Asked again later", passing=True)
    if code in {"AccessDeniedException", "AccessDenied"}:
        return LaunchError(
            f"a permission is missing: {message}", remedy="See the launcher's policy in emr-on-eks/cloudformation.yaml"
        )
    if code == "ResourceNotFoundException":
        what = message or "no such virtual cluster or job run"
        return ConfigError(f"{what}. Check cluster.virtual_cluster and cluster.region of the site")
    if code == "ValidationException":
        return ConfigError(f"EMR refuses the request: {message}")
    return LaunchError(f"AWS answers {code}: {message}")
