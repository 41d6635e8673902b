"""Screenshots of the documentation: ``python -m tests.view.pictures demo docs/pictures`` (``make pictures``)."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright
from tests.view.test_page import DESKTOP, FLAGS, PHONE

LARGER = 1.5


def main(output: str, folder: Path) -> None:
    """Take every picture of an output's map."""
    command = [sys.executable, "-m", "swath.cli", "view", output, "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as playwright:
        try:
            address = (server.stdout.readline() if server.stdout else "").split()[0]
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            _desktop(_opened(browser, address, size=DESKTOP), folder)
            _opened(browser, address, size=DESKTOP, color_scheme="dark").screenshot(path=folder / "view-dark.png")
            phone = _opened(browser, address, size=PHONE, device_scale_factor=LARGER)
            phone.locator("#tabs button").nth(1).click()
            phone.screenshot(path=folder / "view-phone.png")
            browser.close()
        finally:
            server.terminate()
    for picture in folder.glob("view-*.png"):  # a page has few colours, and a clone should stay small
        Image.open(picture).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(picture, optimize=True)


def _desktop(page: Any, folder: Path) -> None:
    page.click('[data-layer="landcover"]')
    page.wait_for_selector("body[data-idle]")
    page.locator("#stage canvas").first.click(position={"x": 300, "y": 520})
    page.wait_for_selector("#pixel table")
    page.screenshot(path=folder / "view-desktop.png")
    page.click('[data-layer="true-colour"]')
    page.click("#compare")
    page.wait_for_selector("#swipe-left:not([hidden])")
    page.wait_for_timeout(4000)  # the left map says nothing of its own tiles
    page.screenshot(path=folder / "view-compare.png")
    page.click(".row.quarantined")
    page.wait_for_selector(".maplibregl-popup")
    page.wait_for_selector("body[data-idle]")
    page.screenshot(path=folder / "view-quarantine.png")


def _opened(browser: Any, address: str, *, size: dict[str, int], **options: Any) -> Any:
    page = browser.new_page(viewport=size, **options)
    page.goto(address)
    page.wait_for_selector("body[data-ready][data-idle]")
    return page


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
