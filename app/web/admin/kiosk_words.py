"""Changes of the kiosk's draft in words: what, before, after, and where to edit it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import kiosk as rules
from app.domain.drafts import Change, Content, Fault
from app.models.place import Category, Office
from app.services import kiosk_layout
from app.web.admin import typed
from app.web.locale import pick, plain, t

COLOURS = {
    "teal": "青緑", "purple": "紫", "magenta": "赤紫", "brown": "茶", "green": "緑", "slate": "青灰", "rust": "赤茶",
    "olive": "オリーブ", "charcoal": "濃い灰", "ink": "黒",
}  # fmt: skip
_FIELDS = {
    "opens": "受付はじめ", "closes": "受付おわり", "hidden": "受付機に出すか", "category": "受付区分",
    "services": "手続き", "booked_only": "予約だけ",
}  # fmt: skip
_MOVES_TOLD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One change, ready to be read."""

    key: str
    what: Markup
    before: Markup
    after: Markup
    href: str


def changes(
    session: Session, office: Office, found: Sequence[Change], *, faults: Sequence[Fault] | None = None
) -> list[Row]:
    """The changes as rows; with ``faults``, those instead, of the keys the draft changes (the warnings)."""
    draft = kiosk_layout.draft(session, office.id)
    titles = {each.id: each.title.get("ja", each.id) for each in rules.layout(draft.content).purposes}
    lines = {row.id: row for row in session.scalars(select(Category).where(Category.office_id == office.id))}
    if faults is not None:
        keys = {change.key.rpartition(".")[0] for change in found}
        return [_missing(office, fault, titles) for fault in faults if fault.key in keys]
    return [_row(office, change, titles, lines, draft.content) for change in found]


def _missing(office: Office, fault: Fault, titles: Mapping[str, str]) -> Row:
    codes = str(fault.values.get("languages", "")).split(", ")
    names = "・".join(typed.WORD_LANGUAGES.get(code, code) for code in codes)
    purpose = fault.key.split(".")[1]
    return Row(
        key=fault.key, what=t("「%(name)s」", name=titles.get(purpose, purpose)), before=Markup(""),
        after=t("まだ言葉がない言語: %(names)s(日本語で出ます)", names=names),
        href=url_for("admin.kiosk", office=office.id, purpose=purpose),
    )  # fmt: skip


def _row(
    office: Office, change: Change, titles: Mapping[str, str], lines: Mapping[str, Category], content: Content
) -> Row:
    parts = change.key.split(".")
    purpose = next(iter(titles), "")
    match parts:
        case ["order"]:
            what, before, after = t("順番"), *_moves(change, titles)
        case ["colour", category]:
            line = lines.get(category)
            name = f"{line.prefix} {plain(pick(line.short_name or line.name))}" if line else category
            what = t("%(line)sの色", line=name)
            before, after = (_colour(value) for value in (change.before, change.after))
            own = (each.id for each in rules.layout(content).purposes if each.category == category)
            purpose = next(own, purpose)
        case ["purpose", purpose, "title" | "line" as name, language]:
            field = t("ボタンの言葉") if name == "title" else t("下の説明")
            tongue = typed.WORD_LANGUAGES.get(language, language)
            what = t(
                "「%(name)s」の%(field)s(%(language)s)",
                name=titles.get(purpose, purpose),
                field=plain(field),
                language=tongue,
            )
            before, after = (_text(value) for value in (change.before, change.after))
        case ["purpose", purpose, name]:
            what = t(
                "「%(name)s」の%(field)s", name=titles.get(purpose, purpose), field=plain(t(_FIELDS.get(name, name)))
            )
            before, after = (_value(name, value) for value in (change.before, change.after))
        case _:
            what, before, after = Markup.escape(change.key), _text(change.before), _text(change.after)
    href = url_for("admin.kiosk", office=office.id, purpose=purpose)
    return Row(key=change.key, what=what, before=before, after=after, href=href)


def _text(value: object) -> Markup:
    return t("なし") if value in (None, "", []) else Markup.escape(str(value))


def _colour(value: object) -> Markup:
    return t(COLOURS[str(value)]) if str(value) in COLOURS else _text(value)


def _value(name: str, value: Any) -> Markup:
    match name:
        case "hidden":
            return t("出さない") if value else t("出す")
        case "booked_only":
            return t("予約のかただけ") if value else t("どなたでも")
        case "opens" | "closes" if value is None:
            return t("ふだんの受付時間")
        case "services":
            return Markup.escape("・".join(map(str, value or ())))
        case _:
            return _text(value)


def _moves(change: Change, titles: Mapping[str, str]) -> tuple[Markup, Markup]:
    """The buttons that moved most, with their places."""
    before, after = (
        {name: place for place, name in enumerate(_list(value), 1)} for value in (change.before, change.after)
    )
    moved = [name for name in after if name in before and before[name] != after[name]]
    moved.sort(key=lambda name: -abs(before[name] - after[name]))
    told = moved[:_MOVES_TOLD]
    more = Markup(" …") if len(moved) > len(told) else Markup("")
    said = [
        Markup("・").join(t("%(name)s %(n)s番目", name=titles.get(name, name), n=places[name]) for name in told) + more
        for places in (before, after)
    ]
    return said[0], said[1]


def _list(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
