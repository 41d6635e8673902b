"""Questions to SageMaker, and what its refusals mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from swath.errors import ConfigError
from swath.stores.authorities import bundle_of
from swath.stores.rotating_keys import session_with_rotating_keys

_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
POLICY = "emr-on-eks/sagemaker.yaml"


def sagemaker_client(region: str = "") -> Any:
    """A client that gives up in seconds; credentials and Region come from boto3's standard chain.

    Args:
        region: Region of the packages; that of the environment when empty.

    Raises:
        ConfigError: No Region is known.
    """
    settings = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=20)
    trusted = bundle_of("AWS_CA_BUNDLE") or None
    with in_words("SageMaker"):
        session = boto3.session.Session(botocore_session=session_with_rotating_keys(None), region_name=region or None)
        return session.client("sagemaker", config=settings, verify=trusted)


@contextmanager
def in_words(asked: str) -> Iterator[None]:
    """Say in our words what AWS refuses.

    Args:
        asked: Name of what is asked for, in messages.

    Raises:
        ConfigError: AWS refuses, or cannot be asked.
    """
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        code, text = str(told.get("Code", "")), " ".join(str(told.get("Message", "")).split())
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if code in _DENIED or status == HTTPStatus.FORBIDDEN:
            msg = (
                f"{asked}: AWS refuses the request ({code}: {text}); allow it as {POLICY} does, and for a package of another "
                "account also in the policies of its group and its bucket"
            )
        else:
            msg = f"{asked}: SageMaker answers {code}: {text}"
        raise ConfigError(msg) from error
    except NoCredentialsError as error:
        msg = f"{asked}: there are no AWS credentials; log in, or name a profile in AWS_PROFILE"
        raise ConfigError(msg) from error
    except BotoCoreError as error:
        msg = f"{asked}: AWS cannot be asked: {error}"
        raise ConfigError(msg) from error
