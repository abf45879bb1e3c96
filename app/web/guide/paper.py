"""受付案内票 as a PDF: what stands on it, in Japanese for the counter and in the reader's language below."""

import io
import re
from datetime import date
from typing import Any

import segno
from flask import Response
from markupsafe import Markup

from app.domain.calendar import japanese_date
from app.domain.guide import spaced
from app.models.place import Office
from app.paper import press
from app.services.guide import Plan, Procedure, ToBring
from app.web import off_loop
from app.web.formats import day_name, day_words
from app.web.locale import LANGUAGES, language, pick, plain, speaking, t

_WORDS = {
    "title": "受付案内票", "code": "案内番号", "scan": "受付機に かざしてください", "procedures": "手続き",
    "time_at": "窓口にいる時間", "bring": "持ち物", "total": "合計", "ticket": "番号札", "notes": "備考",
    "how": "受付機にこのQRコードをかざすと、1枚の番号札で下の手続きを順に回れます。予約している方は、"
    "予約のQRコードをかざしてください。",
    "staff": "受付で使います(記入しないでください)",
    "last": "この票に名前や住所は のっていません。順番と時間は当日の混みぐあいで変わることがあります。",
}  # fmt: skip
_COLUMNS = ("順", "手続き", "窓口", "所要", "手数料", "期限", "済")
# The face of our paper has these letters; readers of other scripts get English below the Japanese, and their own
# language on the page to print, whose faces the browser has.
_PRINTED = ("ja", "ja-Hira", "en", "pt")
_READING = re.compile(r"<rt>(.*?)</rt>")


def printed_language() -> str:
    """The language that stands below the Japanese on paper."""
    return language() if language() in _PRINTED else "en"


def _both(japanese: str, own: str) -> dict[str, str]:
    return {"ja": japanese, "own": "" if language() == "ja" or own == japanese else own}


def _read(text: Markup) -> str:
    """Words for paper: a reading stands in brackets behind its kanji."""
    return plain(Markup(_READING.sub(r"(\1)", text)))  # noqa: S704 - our own words, on their way to plain text


def _said(text: str) -> dict[str, str]:
    """A sentence of ours in Japanese and in the reader's language."""
    return _both(text, _read(t(text)))


def _named(words: Any) -> dict[str, str]:
    """The name of a thing in Japanese and in the reader's language."""
    return _both(words["ja"], _read(pick(words))) if words else {"ja": "", "own": ""}


def sheet_values(office: Office, plan: Plan, *, address: str, today: date) -> dict[str, Any]:
    """All that the page shows, as plain strings; a sensitive event and its procedures under neutral words."""
    with speaking(printed_language()):
        return _values(office, plan, address=address, today=today)


def _values(office: Office, plan: Plan, *, address: str, today: date) -> dict[str, Any]:
    with speaking("ja"):
        minutes = (
            plain(t("約%(low)s〜%(high)s分", low=plan.minutes.low, high=plan.minutes.high)) if plan.minutes else None
        )
    return {
        "title": f"受付案内票 {plan.code}", "code": spaced(plan.code),
        "language": LANGUAGES[language()][0].split("_")[0],
        "office": office.name["ja"], "office_words": _named(office.name),
        "event": _said("相談") if plan.sensitive else _named(plan.body["name"]), "made": f"{japanese_date(today)} 作成",
        "minutes": minutes, "fee": _yen(plan.fee), "qr": _svg(address),
        "words": {name: _said(text) for name, text in _WORDS.items()} | {"columns": list(_COLUMNS)},
        "rows": [_row(number, each, plan) for number, each in enumerate(plan.procedures, start=1)],
        # A document may give away what the neutral words hide.
        "documents": [] if plan.sensitive else [{"name": _named(d.name), "case": _case(d)} for d in plan.documents],
        "look": _said("持ち物は、案内番号のページで確かめてください。") if plan.sensitive else None,
    }  # fmt: skip


def _row(number: int, each: Procedure, plan: Plan) -> dict[str, Any]:
    service = each.service
    return {
        "number": number, "name": _named(service.public_name if plan.sensitive else service.name),
        "beside": _said("予約はいりません") if each in plan.beside else None,
        "letter": each.line.prefix if each.line else "", "place": _place(each), "minutes": f"約{each.minutes}分",
        "fee": _yen(service.fee_yen), "until": _until(each),
    }  # fmt: skip


def _place(each: Procedure) -> str:
    if each.area is None:
        return "、".join(str(office.name["ja"]) for office in each.elsewhere)
    runs = "、".join(first if first == last else f"{first}〜{last}" for first, last in each.area.counters)
    return f"{runs}番" if runs else str(each.area.hall.name["ja"])


def _until(each: Procedure) -> dict[str, str]:
    if each.due is None:
        return _named(each.service.details.get("deadline")) if each.service.details.get("deadline") else _said("なし")
    with speaking("ja"):
        japanese = f"{day_words(each.due)}まで"
    return _both(japanese, _read(t("%(day)sまで", day=day_name(each.due))))


def _case(item: ToBring) -> dict[str, str]:
    if item.always:
        return {"ja": "", "own": ""}
    cases = [_named(case) for case in item.cases]
    return {
        "ja": "・".join(["あてはまる方だけ", *(case["ja"] for case in cases)]),
        "own": "・".join(case["own"] for case in cases if case["own"]),
    }


def _yen(amount: int) -> str:
    return f"{amount:,}円" if amount else "無料"


def _svg(text: str) -> str:
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", xmldecl=False, border=2)
    return out.getvalue().decode()


def pdf_response(values: dict[str, Any], *, name: str) -> Response:
    """The page, set beside the event loop."""
    made: bytes = off_loop.run(press.pdf, "guide_sheet", values)
    response = Response(made, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response
