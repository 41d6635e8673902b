"""What is published on an S3 that fails is whole, there once, and leaves nothing behind."""

from pathlib import Path

import pytest
from tests.faults.faulty_s3 import FAULTS, FaultyS3
from tests.faults.s3_work import broken_files, broken_products

pytestmark = [pytest.mark.faults, pytest.mark.filterwarnings("ignore:unclosed file <_io.BufferedRandom:ResourceWarning")]


@pytest.mark.timeout(600)
def test_products_on_a_failing_store_are_those_on_disk(tmp_path: Path) -> None:
    faulty = FaultyS3(share=0.2, seed=4)
    assert broken_products(faulty, folder=tmp_path, count=6, seed=4) == []
    assert len({fault for fault, _ in faulty.met}) >= len(FAULTS) - 1


@pytest.mark.timeout(600)
def test_files_in_parts_are_whole_once_and_leave_no_upload(tmp_path: Path) -> None:
    faulty = FaultyS3(share=0.2, seed=8)
    assert broken_files(faulty, folder=tmp_path, count=6, seed=8) == []
    assert faulty.met.total() > 5
