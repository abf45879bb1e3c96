"""Copy third-party assets from node_modules to app/static/vendor: ``python -m config.assets`` (at set-up)."""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE, TARGET = ROOT / "node_modules", ROOT / "app" / "static" / "vendor"
FONTS = {
    "@fontsource/biz-udpgothic": ("400.css", "700.css"),
    "@fontsource-variable/noto-sans": ("index.css",),
    "@fontsource-variable/noto-sans-kr": ("index.css",),
    "@fontsource-variable/noto-sans-sc": ("index.css",),
    "@fontsource-variable/noto-sans-tc": ("index.css",),
}
FILES = {
    "socket.io-client/dist/socket.io.esm.min.js": "socket.io.esm.min.js",
    "uplot/dist/uPlot.esm.js": "uplot.js",
    "uplot/dist/uPlot.min.css": "uplot.css",
    # The reader of QR codes at the kiosk: a module, what it shares, and its machine code.
    "zxing-wasm/dist/es/reader/index.js": "zxing/reader/index.js",
    "zxing-wasm/dist/es/share.js": "zxing/share.js",
    "zxing-wasm/dist/reader/zxing_reader.wasm": "zxing/zxing_reader.wasm",
    "@expo-google-fonts/biz-udpgothic/400Regular/BIZUDPGothic_400Regular.ttf": "paper-fonts/regular.ttf",
    "@expo-google-fonts/biz-udpgothic/700Bold/BIZUDPGothic_700Bold.ttf": "paper-fonts/bold.ttf",
}


def _copy_font(package: str, sheets: tuple[str, ...]) -> None:
    name = package.split("/")[1]
    folder = TARGET / name
    (folder / "files").mkdir(parents=True, exist_ok=True)
    for sheet in sheets:
        text = (SOURCE / package / sheet).read_text()
        (folder / sheet).write_text(text)
        for file in set(re.findall(r"files/([\w.-]+\.woff2)", text)):
            shutil.copyfile(SOURCE / package / "files" / file, folder / "files" / file)


def main() -> None:
    """Copy all; exits with one sentence when the packages are not there."""
    if not SOURCE.is_dir():
        sys.exit("node_modules is missing: run `make setup`")
    TARGET.mkdir(parents=True, exist_ok=True)
    for package, sheets in FONTS.items():
        _copy_font(package, sheets)
    for source, target in FILES.items():
        (TARGET / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SOURCE / source, TARGET / target)
    (TARGET / ".set").touch()


if __name__ == "__main__":
    main()
