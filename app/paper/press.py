"""Sets a page: ``pdf(template, values)`` fills a Typst template of this folder and answers the bytes.

Values travel as JSON, never as markup, so that nothing a resident types can become layout. Fonts come
with the set-up (``make setup``), never from the machine, so that every office prints the same page.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import typst

HERE = Path(__file__).parent
FONTS = HERE.parent / "static" / "vendor" / "paper-fonts"


def pdf(template: str, values: Mapping[str, object]) -> bytes:
    """The PDF of ``<template>.typ``; in it ``json(bytes(sys.inputs.values))`` is ``values``.

    Takes tens of milliseconds of CPU: a web process calls it off its loop (app/web/off_loop.py).
    """
    return typst.compile(
        str(HERE / f"{template}.typ"),
        root=str(HERE),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"values": json.dumps(values, ensure_ascii=False, default=str)},
    )
