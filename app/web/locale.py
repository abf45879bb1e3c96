"""Languages: which one a request speaks, and ``t`` for every word a person reads.

Japanese is the source text. Easy Japanese (ja_Hira) is written with readings, ``手続《てつづ》き`` or
``|窓口《まどぐち》``, and rendered as ruby; ``plain`` leaves the readings out (attributes, JSON, titles).
"""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, force_locale, gettext
from markupsafe import Markup, escape

# Codes as the API and links carry them, with the catalogue's name and the language's own name.
LANGUAGES: dict[str, tuple[str, str]] = {
    "ja": ("ja", "日本語"),
    "ja-Hira": ("ja_Hira", "やさしい日本語"),
    "en": ("en", "English"),
    "zh-Hans": ("zh_Hans", "简体中文"),
    "zh-Hant": ("zh_Hant", "繁體中文"),
    "ko": ("ko", "한국어"),
    "vi": ("vi", "Tiếng Việt"),
    "pt": ("pt", "Português"),
}
COOKIE = "lang"
_CATALOGUES = Path(__file__).parents[1] / "translations"
_RUBY = re.compile(r"(?:[|\uff5c]([^《》|\uff5c]+)|([\u3400-\u9fff々〆ヶ]+))《([^《》]+)》")


def language() -> str:
    """The code of this request's language: ?lang=, cookie, Accept-Language, Japanese."""
    if not has_request_context():
        return "ja"
    if "language" not in g:
        g.language = _choose()
    chosen: str = g.language
    return chosen


def _choose() -> str:
    for asked in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if asked in LANGUAGES:
            return str(asked)
    names = {"zh-CN": "zh-Hans", "zh-TW": "zh-Hant", "zh-HK": "zh-Hant", "zh": "zh-Hans"}
    best = request.accept_languages.best_match([*LANGUAGES, *names])
    return names.get(best or "", best or "ja")


def ruby(text: str) -> Markup:
    """Readings as <ruby> inside one wrapper, so that flex boxes do not open gaps within a word."""
    if "《" not in text:
        return escape(text)
    parts, end = [], 0
    for match in _RUBY.finditer(text):
        base = match[1] or match[2]
        parts += [escape(text[end : match.start()]), Markup("<ruby>{}<rt>{}</rt></ruby>").format(base, match[3])]
        end = match.end()
    return Markup('<span class="r">{}</span>').format(Markup("").join([*parts, escape(text[end:])]))


def plain(text: object) -> str:
    """The same words without readings."""
    raw = str(text)
    if isinstance(text, Markup):
        raw = html.unescape(re.sub(r"<rt>.*?</rt>|<[^>]+>", "", raw))
    return _RUBY.sub(lambda match: match[1] or match[2], raw)


@cache
def _easy() -> NullTranslations:
    """Easy Japanese by hand: Babel knows no ja_Hira, takes it for ja and would leave the source text."""
    return Translations.load(_CATALOGUES, ["ja_Hira"])


@cache
def _english() -> NullTranslations:
    return Translations.load(_CATALOGUES, ["en"])


def _translated(text: str) -> str:
    if not has_request_context():
        return text
    code = language()
    if code == "ja-Hira":
        return str(_easy().gettext(text))
    said = str(gettext(text))
    # A sentence that a language still lacks is said in English: its readers seldom read Japanese.
    return _english().gettext(text) if said == text and code in ("ko", "vi", "pt") else said


def t(text: str, **values: object) -> Markup:
    """The translated text with its values, safe to put in a page; a value that is markup keeps its readings."""
    said = _translated(text)
    if not values:
        return ruby(said)
    whole = {name: f"\ue000{name}\ue001" for name, value in values.items() if isinstance(value, Markup)}
    found = ruby(said % {name: whole.get(name, str(value)) for name, value in values.items()})
    for name, mark in whole.items():
        found = found.replace(mark, Markup(values[name]))  # noqa: S704 - it was markup before
    return found


def nb(said: Markup) -> Markup:
    """A time or date that never breaks inside."""
    return Markup('<span class="nb">{}</span>').format(said)


def pick(names: dict[str, Any] | None) -> Markup:
    """The name of a thing (by language) in this request's language; English, then Japanese, where it lacks one."""
    if not names:
        return Markup("")
    code = language()
    own = LANGUAGES[code][0]
    order = (own, "ja") if code in ("ja", "ja-Hira") else (own, "en", "ja")
    return ruby(next((str(names[key]) for key in order if names.get(key)), ""))


def in_language(code: str) -> str:
    """The page of this request in another language: its address, and what was asked of it."""
    asked = {name: values for name, values in request.args.lists() if name != "lang"} if request.method == "GET" else {}
    return "?" + urlencode({**asked, "lang": code}, doseq=True)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Words of another language than the request's: a ticket printed anew, a screen in every language."""
    before = language()
    with force_locale(LANGUAGES[code][0]):
        g.language = code
        try:
            yield
        finally:
            g.language = before


def in_every_language(text: str, **values: object) -> list[tuple[str, Markup]]:
    """A sentence in every language that has it, Japanese first: where nobody can choose a language.

    Values that are names by language are picked for each.
    """
    found: list[tuple[str, Markup]] = []
    for code in LANGUAGES:
        if code == "ja-Hira":
            continue
        with speaking(code):
            said = t(text, **{name: plain(pick(v)) if isinstance(v, dict) else v for name, v in values.items()})
        if said not in (known for _, known in found):
            found.append((code, said))
    return found


def install(app: Flask) -> None:
    """Babel with our selector, and the words' functions in every template."""
    app.config.update(BABEL_DEFAULT_LOCALE="ja", BABEL_TRANSLATION_DIRECTORIES="translations")
    Babel(app, locale_selector=lambda: LANGUAGES[language()][0])
    app.jinja_env.globals.update(t=t, plain=plain, pick=pick, ruby=ruby, nb=nb, language=language, languages=LANGUAGES)
    app.jinja_env.globals.update(in_language=in_language, in_every_language=in_every_language)
