"""What swath does on S3, done on a server that fails: products of small scenes, and large files in many parts."""

import hashlib
import io
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final
from unittest.mock import patch
from uuid import uuid4

import numpy as np
from tests.faults.faulty_s3 import FaultyS3, serving
from tests.faults.small_scenes import make_scenes
from tests.faults.whole_product import MADE, Maker

from swath.config import load_pipeline, prepare
from swath.engine.child.parent import Child, Limits
from swath.inference.registry import Registry
from swath.plain import canonical
from swath.stores.local import local_store
from swath.stores.parts import MIN_PART, ONE_PUT
from swath.stores.registry import open_store
from swath.stores.s3 import S3Store
from swath.stores.s3_client import s3_client

STRIP_ROWS: Final = 512


@contextmanager
def faulty_store(faulty: FaultyS3) -> Iterator[S3Store]:
    """A store on a server that begins to fail once its bucket is there."""
    share, faulty.share = faulty.share, 0.0
    with serving(faulty) as endpoint, patch.dict(os.environ, _environment(endpoint)):
        s3_client.cache_clear()
        # moto keeps its buckets for as long as the process lives.
        bucket = f"faults-{uuid4().hex[:12]}"
        store = open_store(f"s3://{bucket}/out", create=False)
        if not isinstance(store, S3Store):
            raise TypeError(store)
        store.client.create_bucket(Bucket=bucket)
        faulty.share = share
        try:
            yield store
        finally:
            s3_client.cache_clear()


def _environment(endpoint: str) -> Mapping[str, str]:
    return {
        "AWS_ENDPOINT_URL_S3": endpoint, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip


def broken_products(faulty: FaultyS3, *, folder: Path, count: int, seed: int) -> list[str]:
    """Make products on disk and on the failing store; how they differ."""
    small = make_scenes(folder / "input")
    items = [*small.items[: count - 1], small.items[-1]]
    pipeline = canonical(dict(prepare(load_pipeline("toa"), registry=Registry.beside(folder)).plain))
    whole = local_store(folder / "whole")
    with faulty_store(faulty) as store:
        found = []
        for output in (str(whole.folder), store.root):
            child = Child(Limits(memory_mb=1024, seconds=300.0))
            maker = Maker(child=child, pipeline=pipeline, output=output, strip_rows=STRIP_ROWS)
            results = [maker.make(str(item)) for item in items]
            child.close()
            found += [f"{output}: {told}" for told in results if told[0] != MADE]
        faulty.share = 0.0
        names = set(store.list("products")) | set(whole.list("products"))
        return found + [f"{n} differs" for n in sorted(names) if store.read(n) != whole.read(n)]


def broken_files(faulty: FaultyS3, *, folder: Path, count: int, seed: int) -> list[str]:
    """Publish files of one and of several parts, alone and by tasks that repeat each other; what is not as it should be."""
    rng = np.random.default_rng(seed)
    wanted: dict[str, str] = {}
    with faulty_store(faulty) as store:
        for number in range(count):
            data = rng.bytes(int(rng.integers(1, 1 << 20)) if number % 3 == 0 else ONE_PUT + int(rng.integers(1, 1 << 20)))
            path = f"products/{number}.tif"
            if number % 3 == 2:
                _shared(store, path, data)
            else:
                _twice(store, path, data, folder=folder)
            wanted[path] = hashlib.sha256(data).hexdigest()
        found = [f"{path} differs" for path, digest in wanted.items() if store.digest(path)[0] != digest]
        faulty.share = 0.0
        found += [f"{path} was never wanted" for path in store.list("products") if path not in wanted]
        # An upload whose id got lost on the way can only be ended by the janitor; there is no other reason to leave one.
        left, lost = list(store.unfinished()), faulty.met["answer lost", "CreateMultipartUpload"]
        return found + [f"the upload of {u.path} was left" for u in left[lost:]]


def _twice(store: S3Store, path: str, data: bytes, *, folder: Path) -> None:
    """As two copies of a task publish the same file."""
    for copy in range(2):
        local = folder / f"copy-{copy}"
        local.write_bytes(data)
        store.publish(local, path)


def _shared(store: S3Store, path: str, data: bytes) -> None:
    """As strips send their own parts, one of them twice, and two copies of the finalizer complete the file."""
    upload = store.upload(path)
    cuts = [0, MIN_PART, 2 * MIN_PART, len(data)]
    spans = list(enumerate(pairwise(cuts), start=1))
    sent = [store.upload(path, upload.upload_id).put(n, io.BytesIO(data[a:b]), length=b - a) for n, (a, b) in spans]
    again, (start, stop) = spans[1]
    sent[1] = store.upload(path, upload.upload_id).put(again, io.BytesIO(data[start:stop]), length=stop - start)
    for _ in range(2):
        store.upload(path, upload.upload_id).complete(sent)


def table(met: Counter[tuple[str, str]]) -> str:
    """Markdown: faults by request."""
    requests = sorted({request for _, request in met})
    lines = [f"| fault | {' | '.join(requests)} | all |", f"|---|{'---|' * (len(requests) + 1)}"]
    for fault in sorted({fault for fault, _ in met}):
        numbers = [met[fault, r] for r in requests]
        lines.append(f"| {fault} | {' | '.join(map(str, numbers))} | {sum(numbers)} |")
    return "\n".join([*lines, "", f"{met.total()} faults."])
