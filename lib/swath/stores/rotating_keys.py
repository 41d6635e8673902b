"""Keys of a credentials file that change while a process works: botocore reads them once, here they are read again."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.credentials import CredentialProvider, RefreshableCredentials, SharedCredentialProvider
from botocore.session import Session

#: A changed file is read within this time [s]: a key that was replaced must stay valid so long.
LATEST_S = 300
#: botocore asks for new credentials when less than this is left of theirs [s].
_ADVISORY_S = 900


class RotatingKeys(CredentialProvider):
    """A profile of the shared credentials file, as a secret that an orchestrator mounts.

    Args:
        session: Says which file and profile.
    """

    METHOD = "swath-credentials-file"
    CANONICAL_NAME = None

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        file, profile = session.get_config_variable("credentials_file"), session.get_config_variable("profile")
        self._file = SharedCredentialProvider(os.path.expanduser(file), profile_name=profile or "default")  # noqa: PTH111

    def load(self) -> RefreshableCredentials | None:
        """The credentials; None where the file has none, so that the rest of botocore's chain is asked."""
        if self._file.load() is None:
            return None
        return RefreshableCredentials.create_from_metadata(
            metadata=self._read(), refresh_using=self._read, method=self.METHOD, advisory_timeout=_ADVISORY_S
        )

    def _read(self) -> dict[str, Any]:
        found = self._file.load()
        if found is None:
            msg = "the credentials file has no keys of the profile any more"
            raise OSError(msg)
        until = datetime.now(UTC) + timedelta(seconds=_ADVISORY_S + LATEST_S)
        return {
            "access_key": found.access_key, "secret_key": found.secret_key, "token": found.token,
            "expiry_time": until.isoformat(),
        }  # fmt: skip


def session_with_rotating_keys(profile: str | None) -> Session:
    """A botocore session whose file keys are read again; every other source of its chain is as ever.

    Args:
        profile: Profile in the credentials file; None for the one that the environment names.
    """
    session = Session(profile=profile)
    resolver = session.get_component("credential_provider")
    resolver.insert_before(SharedCredentialProvider.METHOD, RotatingKeys(session))
    return session
