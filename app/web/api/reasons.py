"""Why it was this number's turn, in one sentence (codes of domain/calling.py)."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from app.web.locale import language, plain, t

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "earliest": "いちばん早く順番の時刻になる方です。",
        "booked": "予約の時刻の方です。",
        "journey": "前の手続きを終えた方です。来庁した時刻で並んでいます。",
        "rejoined": "列に戻った方です。",
        "delivery": "証明書ができた方です。",
        "priority": "優先の方です。",
        "secondary": "この列の待ちが長くなったため、応援で呼びます。",
        "early": "ほかに待つ方がいないため、予約の時刻より早く呼びます。",
        "picked": "職員が番号を指定しました。",
    }
)


def sentence(code: str) -> str:
    """The reason in the caller's language."""
    return _said(code if code in REASONS else "earliest", language())


@cache
def _said(code: str, _language: str) -> str:
    """Looked up once for each language: every call says one, and the catalogues stay as they are."""
    return plain(t(REASONS[code]))
