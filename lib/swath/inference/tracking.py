"""Questions to MLflow: bounded in time, and answered in our own words when it says no."""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from swath.errors import ConfigError
from swath.inference.address import WHEN_AWAY, AbsentError, RegistryAwayError, answered, bound_mlflow, check_address, public

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

T = TypeVar("T")
#: How MLflow says that there is no such model, version or alias.
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND")
_CREDENTIALS = "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"


def is_file(uri: str) -> bool:
    """Whether the registry is a database file of this machine: nothing to wait for."""
    return uri.startswith("sqlite:")


def client_of(uri: str) -> "MlflowClient":
    """An MLflow client.

    Raises:
        ConfigError: No address of a registry, or one that does not answer.
    """
    check_address(uri)
    need_mlflow(uri)
    bound_mlflow()
    if is_file(uri):
        _make_folder(uri)
    from mlflow import MlflowClient  # noqa: PLC0415 (costs seconds: only where it is used)

    # A new registry file is no news for who runs a pipeline.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # What failed is said once, by us.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)

    def made() -> "MlflowClient":
        with warnings.catch_warnings():
            # SQLAlchemy 2.1 warns about how MLflow 3.17 declares its tables; that cannot be mended here.
            warnings.filterwarnings("ignore", message=".*noload.*", category=DeprecationWarning)
            return MlflowClient(tracking_uri=uri, registry_uri=uri)

    return ask(made, uri=uri, asked="opening it")


def need_mlflow(uri: str) -> None:
    """See that MLflow is installed.

    Raises:
        AbsentError: It is not, and the registry is a file that does not exist, which has no models.
        ConfigError: It is not, and any other registry cannot be asked.
    """
    if find_spec("mlflow") is not None:
        return
    remedy = "pip install 'swath[models]'"
    if is_file(uri) and not Path(urlsplit(uri).path[1:]).exists():
        msg = f"there is no model registry {uri}, and MLflow is not installed: {remedy}"
        raise AbsentError(msg)
    msg = f"the model registry {public(uri)} cannot be used, because MLflow is not installed: {remedy}"
    raise ConfigError(msg)


def _make_folder(uri: str) -> None:
    folder = Path(urlsplit(uri).path[1:]).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"the model registry {uri} cannot be made: {error}; choose a folder that can be written"
        raise ConfigError(msg) from error


def ask(question: Callable[[], T], *, uri: str, asked: str) -> T:
    """What MLflow answers.

    Args:
        question: Call of MLflow's client.
        uri: Address of the registry.
        asked: Purpose of the request, for messages.

    Raises:
        ConfigError: See ``in_our_words``; a registry that takes too long is away.
    """
    with in_our_words(uri=uri, asked=asked):
        return question() if is_file(uri) else answered(question, uri=uri, asked=asked)


@contextmanager
def in_our_words(*, uri: str, asked: str) -> Iterator[None]:
    """Say in our words what MLflow, its database or its store of artifacts refuses.

    Raises:
        AbsentError: The registry has no such version, run or artifact.
        RegistryAwayError: The registry does not answer.
        ConfigError: The registry refuses the request.
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 (as above)
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 (as above)

    try:
        yield
    except MlflowException as error:
        raise _told(error, uri=uri, asked=asked) from error
    except Exception as error:
        # MLflow hands on what its store of artifacts says; boto3 is no library of this room.
        if not isinstance(error, OSError | SQLAlchemyError | ImportError) and not _is_of("botocore", error):
            raise
        msg = f"the model registry {public(uri)} cannot be used ({asked}): {_short(str(error))}; {WHEN_AWAY}"
        raise RegistryAwayError(msg) from error


def _is_of(library: str, error: Exception) -> bool:
    return any(kind.__module__.partition(".")[0] == library for kind in type(error).__mro__)


def _told(error: "MlflowException", *, uri: str, asked: str) -> ConfigError:
    text = _short(str(error.message))
    if error.error_code in ABSENT:
        return AbsentError(f"the model registry {public(uri)} has no {asked}: {text}")
    if error.error_code in ("UNAUTHENTICATED", "PERMISSION_DENIED") or any(f"code {n}" in text for n in (401, 403)):
        return ConfigError(f"the model registry {public(uri)} refuses the request ({asked}): {text}; {_CREDENTIALS}")
    return RegistryAwayError(f"the model registry {public(uri)} cannot answer ({asked}): {text}; {WHEN_AWAY}")


def _short(text: str) -> str:
    """The first line: servers send pages, and databases add their statements."""
    first = text.strip().partition("\n")[0]
    return first if len(first) <= 400 else f"{first[:400]}..."
