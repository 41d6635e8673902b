"""The page: whole, closed in itself, and deaf to what strangers write."""

import json
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from swath.account import Count
from swath.class_area import ClassArea
from swath.product import AppliedStep, Statistics
from swath.report import view
from swath.report.html import percent, render
from swath.report.product_summary import control_of
from swath.report.summary import RunSummary
from swath.shares import Shares

VOID = {"meta", "link", "img", "br", "line", "path", "image"}
FETCHING = {"script", "iframe", "object", "embed", "base", "form", "audio", "video", "source"}


class Page(HTMLParser):
    """Tags, addresses and text; complains about tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [v or "" for k, v in attrs if k in {"src", "href"}]
        self.handlers += [k for k, _ in attrs if k.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_areas_are_beneath_their_map(summary: RunSummary, files: dict[str, bytes]) -> None:
    areas = (
        ClassArea(name="water", title="Water", mapped_ha=1200.0, estimated_ha=1234.56, half_width_ha=78.9),
        ClassArea(name="town", title="Built-up", mapped_ha=10.0, estimated_ha=9.0, half_width_ha=None),
    )
    first = replace(summary.products[0], areas={"landcover": areas})
    page = render(replace(summary, products=(first,)), read=files.get)
    assert '<td>Water</td><td class="num">1,200.0</td><td class="num">1,234.6</td><td class="num">± 78.9</td>' in page
    assert '<td class="num">9.0</td><td class="num">–</td>' in page
    assert first.to_contract()["areas"]["landcover"][0]["estimated_ha"] == 1234.56
    assert "Area [ha]" not in render(summary, read=files.get)


def test_the_page_tells_the_account_the_failure_and_the_products(summary: RunSummary, files: dict[str, bytes]) -> None:
    page = Page(render(summary, read=files.get))
    assert page.open == []
    assert "2 of 4 scenes made, 1 skipped, 1 quarantined" in page.text
    assert "The account balances" in page.text
    assert "expected 120561 bytes of codestream" in page.text
    assert "landcover-forest" in page.text
    assert "Built-up" in page.text
    assert "0.0041" in page.text
    for name in ("coastal", "nir08", "lwir11", "landcover_probability"):
        assert name in page.text


def test_the_page_loads_nothing_and_runs_nothing(summary: RunSummary, files: dict[str, bytes]) -> None:
    text = render(summary, read=files.get)
    page = Page(text)
    assert not FETCHING & set(page.tags)
    assert page.handlers == []
    assert all(a.startswith(("data:", "#", "../products/", "./")) for a in page.addresses)
    assert "default-src 'none'" in text
    assert "@import" not in text
    assert "url(" not in text


def test_pictures_are_inside(summary: RunSummary, files: dict[str, bytes]) -> None:
    page = Page(render(summary, read=files.get))
    inside = [a for a in page.addresses if a.startswith("data:image/png;base64,")]
    assert len(inside) == 2 * (1 + 3)


def test_the_one_true_colour_picture_is_not_called_after(summary: RunSummary, files: dict[str, bytes]) -> None:
    first = summary.products[0]
    plain = replace(first, pictures={"true_colour": first.pictures["after"]})
    page = Page(render(replace(summary, products=(plain,)), read=files.get))
    assert "True colour" in page.text
    assert "After" not in page.text
    assert len([a for a in page.addresses if a.startswith("data:image/png")]) == 2


def test_what_strangers_write_stays_text(hostile: RunSummary, files: dict[str, bytes]) -> None:
    page = Page(render(hostile, read=files.get))
    assert "script" not in page.tags
    assert page.handlers == []
    assert page.open == []
    assert "<script>alert(1)</script>" in page.text
    assert not {"\x1b", "\u202e"} & set(page.text)
    assert all(a.startswith(("data:", "#", "../products/", "./")) for a in page.addresses)


def no_picture(path: str) -> bytes | None:
    return None


def no_png(path: str) -> bytes | None:
    return b"<svg onload='alert(1)'>"


@pytest.mark.parametrize("loader", [no_picture, no_png])
def test_pictures_that_are_gone_or_no_pictures_are_left_out(summary: RunSummary, loader: Callable[[str], bytes | None]) -> None:
    page = Page(render(summary, read=loader))
    assert "img" not in page.tags
    assert page.open == []


def test_an_account_that_does_not_balance_is_shouted(summary: RunSummary, files: dict[str, bytes]) -> None:
    broken = replace(summary, scenes=Count(taken_in=4, made=2, skipped=0, quarantined=1))
    text = Page(render(broken, read=files.get)).text
    assert "does not balance: 1 scenes" in text
    assert "The account balances" not in text


def test_a_run_of_nothing_is_a_page_too(summary: RunSummary) -> None:
    empty = replace(summary, scenes=Count(), assets=Count(), products=(), skipped=(), quarantine=(), stages=())
    page = Page(render(empty, read=no_picture))
    assert "0 of 0 scenes made" in page.text
    assert page.open == []


def test_a_scene_of_nodata_is_drawn_without_figures(summary: RunSummary) -> None:
    first = summary.products[0]
    bare = replace(
        first,
        assets=tuple(replace(a, statistics=Statistics(count=90_000)) for a in first.assets),
        shares=Shares(valid=0.0),
    )
    page = Page(render(replace(summary, products=(bare,)), read=no_picture))
    assert "nothing valid" in page.text
    assert "not judged" in page.text


def test_bands_come_from_blue_to_thermal_and_words_are_short(summary: RunSummary, files: dict[str, bytes]) -> None:
    first = summary.products[0]
    entry = replace(summary.quarantine[0], message=f"{summary.quarantine[0].scene_id}: the file is short")
    step = AppliedStep(name="landcover", version=2, parameters={"digest": "ab" * 32, "aot550": None})
    turned = replace(first, assets=first.assets[::-1], steps=(step,))
    text = Page(render(replace(summary, products=(turned,), quarantine=(entry,)), read=files.get)).text
    places = [
        text.index(f"{name} {um} µm") for name, um in (("coastal", 0.44), ("blue", 0.48), ("swir22", 2.2), ("lwir11", 10.9))
    ]
    assert places == sorted(places)
    assert f"{entry.scene_id}: " not in text
    assert 'digest: "abababababab…"' in text
    assert "aot550: " not in text


def test_bits_that_nobody_judged_are_not_shown_as_none(summary: RunSummary) -> None:
    first = replace(summary.products[0], shares=Shares(valid=90.0, saturated=0.0, bits=(("water", 3.0),)))
    text = Page(render(replace(summary, products=(first,)), read=no_picture)).text
    assert "Water 3.0 % A band is saturated 0.0 %" in text
    assert "Cloud shadow" not in text


def test_too_many_products_are_counted(summary: RunSummary, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swath.report.html.MOST_PRODUCTS", 1)
    monkeypatch.setattr(view, "MOST_PRODUCTS", 1)
    text = Page(render(summary, read=files.get)).text
    assert "and 1 more" in text


def test_a_page_carries_no_more_pictures_than_it_can(
    summary: RunSummary, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sum(len(files[path]) for path in set(summary.products[0].pictures.values()))
    monkeypatch.setattr(view, "MOST_PICTURE_BYTES", first)
    page = Page(render(summary, read=files.get))
    assert "The pictures lie beside the item" in page.text
    assert len([a for a in page.addresses if a.startswith("data:image/png")]) == 1 + 3 + 1


def test_shares_are_never_rounded_to_all_or_nothing() -> None:
    assert [percent(v) for v in (None, 0.0, 0.004, 12.34, 99.99, 100.0)] == [
        "–",
        "0.0 %",
        "< 0.1 %",
        "12.3 %",
        "> 99.9 %",
        "100.0 %",
    ]


def test_the_same_run_gives_the_same_page(summary: RunSummary, files: dict[str, bytes]) -> None:
    assert render(summary, read=files.get) == render(summary, read=files.get)


def test_the_map_leads_to_the_products(summary: RunSummary, files: dict[str, bytes]) -> None:
    ring = [[13.0, 50.0], [15.0, 50.0], [15.0, 52.0], [13.0, 50.0]]
    item = json.dumps({"geometry": {"type": "Polygon", "coordinates": [ring]}}).encode()
    page = render(summary, read=(files | {p.item: item for p in summary.products}).get)
    for number in range(1, len(summary.products) + 1):
        assert f'<a href="#product-{number}"><path d="M' in page


def test_the_page_leads_to_the_log_and_says_how_to_retry(summary: RunSummary, files: dict[str, bytes]) -> None:
    page = Page(render(replace(summary, output=str(Path.cwd() / "out")), read=files.get))
    assert f"./{summary.run_id}.log" in page.addresses
    assert str(Path.cwd()) not in page.text
    assert "swath retry out --pipeline ard" in page.text


def test_residuals_of_control_points_are_among_the_checks(summary: RunSummary, files: dict[str, bytes]) -> None:
    told: dict[str, Any] = {"swath:control_points": 12, "swath:control_rms_px": 0.034, "swath:control_rms_before_px": 3.579}
    told |= {"swath:control_model": "shift", "swath:control_outliers": "7 (21.4 px)"}
    assert control_of({}) == ""
    product = replace(summary.products[0], control=control_of(told))
    page = Page(render(replace(summary, products=(product,)), read=files.get))
    assert "12 points, shift: residuals 0.03 px, 3.58 px before; left out: 7 (21.4 px)" in page.text
    assert product.to_contract()["control"] == product.control
