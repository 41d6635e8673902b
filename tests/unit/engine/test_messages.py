"""Messages are the same after their way through JSON, and an unknown or missing field is an error."""

import json
from typing import Any

import pytest

from swath.engine import link_messages, messages
from swath.engine.ingested import Ingest, SceneFound, columns_of
from swath.engine.message import Message, answer_to
from swath.engine.refused import Refused
from swath.engine.subject import Cutting, Subject
from swath.product import AssetRecord, ModelRef, Statistics
from swath.sinks.cog.part_level import Piece
from swath.sinks.cog.strip_part import PartManifest
from swath.stores.parts import UploadedPart

PRODUCT = Subject(scene="{}", scene_id="S1", pipeline="{}", output="/out")
CUT = Cutting(
    split=True,
    strip_rows=512,
    folder="f",
    piece=(64, 32),
    skip=("red",),
    pictures=False,
    models={"m": {"path": "p", "digest": "d"}},
)
STATISTICS = Statistics(count=9, valid=8, clamped=1, minimum=-3, maximum=7, total=20, squares=90, histogram={-1: 3, 0: 5})
RECORD = AssetRecord(
    name="red", layer="sr:red", href="r.tif", key="k", bytes=10, digest="d", statistics=STATISTICS,
    model=ModelRef(name="m", version="1", digest="d"),
)  # fmt: skip
PART = PartManifest(
    asset="red", strip=1, href="h", bytes=7, statistics=STATISTICS,
    pieces=(Piece(level=0, row=0, rows=512, offset=0, length=7, sizes=(3, 4)),),
    uploaded=UploadedPart(number=2, etag="e", bytes=7, md5="0"),
)  # fmt: skip
STRIP = messages.StripMade(
    parts=(PART,),
    dark={"red": {"12": 3}},
    preview="p",
    seconds={"read": 0.5},
    features={"d": {"sr:red": [1, 2]}},
    cpu_s=1.5,
    peak_mb=80.0,
)
PUBLISHED = messages.Published(
    item="i.json", bbox=[1.0, 2.0, 3.0, 4.0], pictures={"thumbnail": "t"}, collection="c", left_out={"pan": "no band"},
    facts={"checks": {}}, acquired="2024-05-06T00:00:00+00:00", platform="landsat-9", reduced={"blue": "why"},
    shares={"valid": 50.0, "saturated": None, "cloud": 0.0}, features={"d": {"sr:red": [1, 2]}},
)  # fmt: skip
KNOWN = link_messages.KnownVersion(item="i.json", records=(RECORD,), pictures={"thumbnail": "t"})
MADE = messages.AssetMade(record=RECORD, cpu_s=0.1)
PUBLISH = messages.Publish(
    product=PRODUCT, records=(RECORD,), previews=("p",), dark=({"red": {"1": 2}},), features=({"d": {"sr:red": [1, 2]}},),
    kept={"thumbnail": "t"},
)  # fmt: skip
MESSAGES: list[Message] = [
    Ingest(href="h", scene_id="S1", files="{}", pipeline="{}", strip_rows=1, names={"part": 1}, terms={"level": "L1"}),
    SceneFound(scene="{}", scene_id="S1", scene_digest="d", processed="", files="{}", unfit=Refused("read", "why")),
    KNOWN,
    link_messages.Prepare(product=PRODUCT, cut=CUT, versions=(KNOWN,)),
    link_messages.Prepared(records=(RECORD,), kept={"thumbnail": "t"}, pictures=False, uploads={"red": "u"}, paths={"red": "p"}),
    messages.MakeStrip(product=PRODUCT, cut=CUT, strip=3, uploads={"red": "u"}),
    STRIP,
    messages.MakeAsset(product=PRODUCT, cut=CUT, asset="red", parts=(PART,), attempt="a", upload="u"),
    MADE,
    PUBLISH,
    PUBLISHED,
    messages.MakeProduct(product=PRODUCT, cut=CUT, attempt="a", versions=(KNOWN,)),
    messages.Counted.of(PART),
    messages.ProductMade(
        linked=("red",), records=(RECORD.bare(),), ledger=messages.kept_records([RECORD]), tiles=(messages.Counted.of(PART),),
        seconds={"read": 0.5}, published=PUBLISHED,
    ),
    link_messages.Adopt(scene_id="S1", output="/out", item="i.json", names=("red",)),
    link_messages.Adopted(records=(RECORD,)),
]  # fmt: skip


def test_every_message_is_here() -> None:
    rooms = (messages, link_messages)
    known = {k for room in rooms for k in vars(room).values() if isinstance(k, type) and k.__module__ == room.__name__}
    assert known <= {type(m) for m in MESSAGES}


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_a_message_is_the_same_after_its_way(message: Message) -> None:
    arrived = type(message).from_plain(json.loads(json.dumps(message.to_plain())))
    assert arrived == message


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_an_unknown_field_is_an_error(message: Message) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        type(message).from_plain({**message.to_plain(), "colour": 1})


def test_a_missing_field_is_an_error() -> None:
    plain = messages.MakeStrip(product=PRODUCT, cut=CUT, strip=3).to_plain()
    del plain["pipeline"]
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'pipeline'"):
        messages.MakeStrip.from_plain(plain)


def test_the_json_of_a_request_is_flat_and_names_its_scene() -> None:
    plain = messages.MakeStrip(product=PRODUCT, cut=CUT, strip=3).to_plain()
    assert (plain["op"], plain["scene_id"], plain["strip_rows"], plain["strip"]) == ("strip", "S1", 512, 3)
    assert not {"product", "cut"} & plain.keys()


def test_a_refusal_is_an_answer_too() -> None:
    request = messages.MakeStrip(product=PRODUCT, cut=CUT, strip=3)
    refused = Refused("read", "why", scene_id="S2", stage="assemble")
    assert answer_to(request, json.loads(json.dumps(refused.answer()))) == refused
    assert answer_to(request, STRIP.to_plain()) == STRIP


@pytest.mark.parametrize(
    ("refused", "stage", "scene_id"),
    [(Refused("read", "why"), "ingest", None), (Refused("metadata", "why", scene_id="S9", stage="discover"), "discover", "S9")],
)
def test_a_refused_scene_is_a_row_with_its_reason(refused: Refused, stage: str, scene_id: str | None) -> None:
    row: dict[str, Any] = columns_of(refused, ["scene_id", "scene", "message"])
    assert row == {"scene_id": scene_id, "scene": None, "message": "why", "error_class": refused.error_class, "stage": stage}
