"""A camera that sees one QR code: a film for Chromium's fake device, and a browser that looks at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import segno
from PIL import Image
from playwright.sync_api import Browser, BrowserType

from tests.browser.conftest import FLAGS, chromium

_WIDTH, _HEIGHT, _FRAMES = 1280, 720, 5


def film(text: str, file: Path) -> Path:
    """A motion JPEG of a hand that holds a code to the reader, a little askew."""
    drawn = BytesIO()
    segno.make(text, error="m").save(drawn, kind="png", scale=9, border=4)
    code = Image.open(drawn).convert("RGB")
    with file.open("wb") as out:
        for number in range(_FRAMES):
            frame = Image.new("RGB", (_WIDTH, _HEIGHT), "#c8ccd0")
            turned = code.rotate(4 + number, expand=True, fillcolor="#c8ccd0")
            frame.paste(turned, ((_WIDTH - turned.width) // 2 + 4 * number, (_HEIGHT - turned.height) // 2))
            frame.save(out, format="JPEG", quality=88)
    return file


@contextmanager
def looking_at(chromium_type: BrowserType, text: str, folder: Path) -> Iterator[Browser]:
    """A browser whose camera sees ``text``; leave to grant is taken as given."""
    seen = film(text, folder / "camera.mjpeg")
    browser = chromium_type.launch(
        executable_path=chromium(),
        args=[
            *FLAGS,
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={seen}",
        ],
    )
    try:
        yield browser
    finally:
        browser.close()
