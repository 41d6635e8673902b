"""The result of a run, from OUT/reports/<run_id>.json: the truth about a run, whatever an engine's exit code says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from swath.deploy.operate.aws_errors import in_words
from swath.deploy.operate.launch_error import LaunchError
from swath.deploy.site.site import Site
from swath.deploy.site.stores import AccessPoint, SiteStore, StoreKind
from swath.errors import ConfigError

_KINDS: Mapping[StoreKind, Literal["s3", "s3-compatible", "s3-outposts"]] = {
    StoreKind.S3: "s3",
    StoreKind.S3_COMPATIBLE: "s3-compatible",
    StoreKind.S3_OUTPOSTS: "s3-outposts",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run says about itself.

    Args:
        run_id: Id of the run.
        scenes_in: Scenes that it was given.
        made: Scenes whose product was made.
        skipped: Scenes whose product was there.
        quarantined: Scenes that cannot be processed.
        raw: Everything, as it is in the file.
    """

    run_id: str
    scenes_in: int
    made: int
    skipped: int
    quarantined: int
    raw: Mapping[str, Any]

    @property
    def balanced(self) -> bool:
        """What went in is what came out, of scenes and, where the run says so, of assets."""
        return self.scenes_in == self.made + self.skipped + self.quarantined and self.raw.get("balanced", True) is not False

    @property
    def quarantined_share(self) -> float:
        """Quarantined scenes of all, 0 to 1; 0 where no scene went in."""
        return self.quarantined / self.scenes_in if self.scenes_in else 0.0

    @property
    def ended(self) -> datetime | None:
        """When the run ended, aware; None when the result does not say so."""
        try:
            moment = datetime.fromisoformat(str(self.raw.get("ended")))
        except ValueError:
            return None
        return moment if moment.tzinfo else None

    @property
    def exit_code(self) -> int:
        """As ``swath run`` without ``--quarantine-ok``: 0 all made or skipped, 3 some quarantined, 4 out of balance."""
        if not self.balanced:
            return 4
        return 3 if self.quarantined else 0

    @property
    def text(self) -> str:
        """One line for people."""
        parts = f"{self.made} made + {self.skipped} skipped + {self.quarantined} quarantined"
        return f"{self.run_id}: {self.scenes_in} scenes in = {parts}"


def result_path(run_id: str) -> str:
    """Path of a run's result, relative to the output."""
    return f"reports/{run_id}.json"


def read_result(output: str, *, run_id: str, site: Site) -> RunResult | None:
    """The result of a run, or None while there is none.

    Args:
        output: Root of the run's output, resolved.
        run_id: Id of the run.
        site: Site that gives the store's endpoint.

    Raises:
        LaunchError: The store cannot be reached from here.
        ConfigError: The file is not a result.
    """
    data = read_bytes(f"{output.rstrip('/')}/{result_path(run_id)}", site=site)
    return None if data is None else parse_result(data, run_id=run_id)


def parse_result(data: bytes, *, run_id: str) -> RunResult:
    """Read the file.

    Raises:
        ConfigError: The file is not a result, or belongs to another run.
    """
    try:
        raw = json.loads(data)
        counts = {key: int(raw[key]) for key in ("scenes_in", "made", "skipped", "quarantined")}
        name = str(raw["run_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{result_path(run_id)} is not the result of a run: {error!r}") from error
    if name != run_id:
        raise ConfigError(f"{result_path(run_id)} is the result of another run, {name}")
    return RunResult(run_id=name, raw=raw, **counts)


def read_bytes(uri: str, *, site: Site) -> bytes | None:
    """A small file of a site's store, or None when it is not there.

    Raises:
        LaunchError: The store cannot be reached from here, or does not let us see whether the file is there.
    """
    if not uri.startswith(("s3://", "s3a://")):
        path = Path(uri.removeprefix("file://"))
        return path.read_bytes() if path.is_file() else None
    from swath.stores.s3_client import code_of  # noqa: PLC0415 - a laptop's folders need no boto3

    bucket, _, key = uri.split("://", 1)[1].partition("/")
    place = site.store_of(uri.replace("s3a://", "s3://", 1))
    store = place[1] if place else None
    with in_words():
        client = s3_client(store)
        try:
            body = client.get_object(Bucket=_address(store, bucket=bucket), Key=key)["Body"].read()
        except client.exceptions.NoSuchKey:
            return None
        except client.exceptions.NoSuchBucket as error:
            raise LaunchError(f"bucket {bucket} does not exist where this machine looks") from error
        except client.exceptions.ClientError as error:
            if code_of(error) not in {"AccessDenied", "403"}:
                raise
            # S3 answers 403 for a missing key if the caller may not list
            remedy = f"Allow s3:GetObject on it and s3:ListBucket on bucket {bucket}: then a missing file is reported as missing"
            raise LaunchError(f"{uri} is not there, or not allowed", remedy=remedy) from error
    return bytes(body)


def s3_client(store: SiteStore | None) -> Any:
    """The client that swath itself uses for a store: its endpoint, and who asks and who pays there.

    Raises:
        BotoCoreError: This machine's AWS files lack the store's profile.
    """
    from swath.stores.options import StoreOptions  # noqa: PLC0415 - a laptop's folders need no boto3
    from swath.stores.s3_client import s3_client as client_for  # noqa: PLC0415

    if store is None or store.kind is StoreKind.FOLDER:
        return client_for(StoreOptions(), patient=False)
    region = AccessPoint.parse(store.access_point).region if store.access_point else store.region
    addressing = store.addressing if store.kind is StoreKind.S3_COMPATIBLE else ""
    return client_for(
        StoreOptions(
            kind=_KINDS[store.kind],
            endpoint=store.endpoint,
            region=region,
            addressing=addressing,
            access_point=store.access_point,
            requester_pays=store.requester_pays,
            profile=store.profile,
            anonymous=store.anonymous,
        ),
        patient=False,
    )


def _address(store: SiteStore | None, *, bucket: str) -> str:
    """S3 on Outposts is asked by the access point."""
    return store.access_point if store and store.access_point else bucket
