"""The page in a real browser with every other host out of reach: what a user sees, clicks and types."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from tests.view.conftest import Viewed

#: Software rendering: machines of tests have no graphics card.
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
DESKTOP, PHONE = {"width": 1360, "height": 860}, {"width": 390, "height": 844}
WAIT_MS = 60_000
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Any]:
    """``opened(size)``: the page; the test fails when it asked another host or had an error."""
    asked: list[str] = []
    errors: list[str] = []
    pages = []

    def open_page(size: dict[str, int]) -> Any:
        page = browser.new_page(viewport=size)
        pages.append(page)
        page.set_default_timeout(WAIT_MS)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(address)
        page.wait_for_selector("body[data-ready][data-idle]")
        return page

    yield open_page
    for page in pages:
        page.close()
    assert errors == []
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert any("/tiles/" in url for url in asked)


def _colours_on_map(page: Any) -> int:
    import io  # noqa: PLC0415

    from PIL import Image  # noqa: PLC0415

    picture = Image.open(io.BytesIO(page.locator("#stage").screenshot())).convert("RGB")
    found = picture.resize((120, 120)).getcolors(1 << 16)
    return len(found or [])


def test_a_desktop_shows_map_layers_legend_and_pixel(opened: Any, viewed: Viewed) -> None:
    page = opened(DESKTOP)
    assert page.locator(".row").count() == 3
    page.click(f'.row[data-id="{viewed.landsat}"]')
    page.wait_for_selector("body[data-idle]")
    assert _colours_on_map(page) > 500
    page.click('[data-layer="landcover"]')
    page.wait_for_selector(".legend [role=checkbox]")
    assert page.locator(".legend [role=checkbox]").count() == 8
    page.locator(".legend [role=checkbox]").first.click()
    assert page.locator(".legend [role=checkbox]").first.get_attribute("aria-checked") == "false"
    page.locator("#stage canvas").first.click(position={"x": 340, "y": 430})
    page.wait_for_selector("#pixel table")
    text = page.locator("#pixel").inner_text()
    assert "red" in text
    assert "model landcover" in text
    assert "swath models trace" in text
    assert page.locator("#layers .links a").all_inner_texts() == ["Item", "Report", "Log"]


def test_before_and_after_are_compared_along_a_line(opened: Any, viewed: Viewed) -> None:
    page = opened(DESKTOP)
    page.click(f'.row[data-id="{viewed.sentinel}"]')
    page.click("#compare")
    page.wait_for_selector("#swipe-left:not([hidden])")
    assert (page.inner_text("#swipe-left"), page.inner_text("#swipe-right")) == ("Before correction", "After correction")
    page.focus("#swipe")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.get_attribute("#swipe", "aria-valuenow") == "60"
    page.click("#compare")
    assert page.locator("#swipe").is_hidden()


def test_quarantine_is_told_on_the_map(opened: Any, viewed: Viewed) -> None:
    page = opened(DESKTOP)
    page.click(f'.row[data-id="{viewed.broken}"]')
    page.wait_for_selector(".maplibregl-popup")
    assert "a raster is truncated" in page.inner_text(".maplibregl-popup")
    assert "swath retry" in page.inner_text("#layers")


def test_a_phone_has_everything_without_scrolling_sideways(opened: Any, viewed: Viewed) -> None:
    page = opened(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.click(f'.row[data-id="{viewed.landsat}"]')
    page.wait_for_selector('#layers [data-layer="cloud"]')
    page.click('[data-layer="cloud"]')
    page.wait_for_selector(".legend [role=checkbox]")
    assert page.evaluate("document.querySelector('#layers').scrollWidth <= 390")
    page.locator("#stage canvas").first.click(position={"x": 190, "y": 200})
    page.wait_for_selector("#pixel table")
    assert page.locator("#pixel").is_visible()
    assert page.locator("#layers").is_hidden()


def test_the_keyboard_is_enough(opened: Any, viewed: Viewed) -> None:
    page = opened(DESKTOP)
    page.keyboard.press("/")
    page.keyboard.type("LC09")
    page.wait_for_selector(f'.row[data-id="{viewed.sentinel}"]', state="detached")
    page.focus(f'.row[data-id="{viewed.landsat}"]')
    page.keyboard.press("Enter")
    page.wait_for_selector(f'.row[data-id="{viewed.landsat}"][aria-current="true"]')
    page.focus('[data-layer="true-colour"]')
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector('[data-layer="before"][aria-checked="true"]')
    page.focus("#map canvas")
    page.keyboard.press("Enter")
    page.wait_for_selector("#pixel table")
    assert page.get_attribute('[data-layer="true-colour"]', "aria-checked") == "false"
    assert page.locator("#pixel table tr").count() > 1


def test_escape_takes_back_what_was_opened_last(opened: Any, viewed: Viewed) -> None:
    page = opened(DESKTOP)
    page.click(f'.row[data-id="{viewed.broken}"]')
    page.wait_for_selector(".maplibregl-popup")
    page.keyboard.press("Escape")
    page.wait_for_selector(".maplibregl-popup", state="detached")
    page.click(f'.row[data-id="{viewed.sentinel}"]')
    page.click("#compare")
    page.wait_for_selector("#swipe-left:not([hidden])")
    page.focus("#swipe")
    page.keyboard.press("Home")
    assert page.get_attribute("#swipe", "aria-valuenow") == "0"
    page.keyboard.press("Escape")
    page.wait_for_selector("#swipe", state="hidden")


def test_every_control_shows_its_focus_and_keeps_it(opened: Any, viewed: Viewed) -> None:
    """Tab goes through the whole page; what is drawn anew does not send the keyboard back to the top."""
    page = opened(DESKTOP)
    focused = "((a) => [a.id || a.className || a.tagName, getComputedStyle(a).outlineStyle])(document.activeElement)"
    met = []
    for _ in range(60):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(focused)
        if name == "BODY":
            break
        assert outline != "none", name
        met.append(name)
    assert {"theme", "month", "search", "compare", "opacity"} <= {name.split()[0] for name in met}
    page.focus("#calendar .month")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "false"
    page.keyboard.press("Enter")
    day = page.locator(".day:not(:disabled)").first
    day.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"


def test_a_class_is_taken_from_the_map_and_put_back_by_keyboard(opened: Any, viewed: Viewed) -> None:
    page = opened(DESKTOP)
    page.click(f'.row[data-id="{viewed.landsat}"]')
    page.click('[data-layer="landcover"]')
    entry = page.locator(".legend [role=checkbox]").first
    entry.wait_for()
    entry.focus()
    for checked in ("false", "true"):
        with page.expect_request(lambda asked: "/tiles/landcover/" in asked.url):
            page.keyboard.press("Space")
        assert entry.get_attribute("aria-checked") == checked


def test_the_theme_follows_the_system_and_the_button(opened: Any) -> None:
    page = opened(DESKTOP)
    assert page.get_attribute("html", "data-theme") == "light"
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 27)"
