"""The audit log: who did what, newest first, and whether the chain holds."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.roles import Function, Role
from app.models.people import AccessToken, Account, AuditEntry
from app.models.place import Hall, Office
from app.services import audit
from app.web import security
from app.web.admin.frame import MOST, blueprint, key, page
from app.web.locale import pick, plain
from app.web.staff_frame import ROLE_NAMES

_ROWS = 50
# What the acts are called; an act of another room that is missing here is shown by its word.
ACTIONS = {
    "account_added": "職員を足しました",
    "account_changed": "職員の内容を変えました",
    "account_closed": "職員の使用を止めました",
    "account_opened": "職員の使用を再開しました",
    "password_reset": "パスワードを作り直しました",
    "second_factor_on": "2段階の確認を始めました",
    "second_factor_off": "2段階の確認をやめました",
    "second_factor_codes": "予備のコードを作り直しました",
    "second_factor_reset": "2段階の確認を外しました",
    "recovery_code_used": "予備のコードでサインインしました",
    "tries_lifted": "まちがいの停止をときました",
    "approval_requested": "2人目の承認を求めました",
    "approval_given": "2人目として承認しました",
    "approval_declined": "承認の求めを取り下げました",
    "device_paired": "端末をつなぎました",
    "device_changed": "端末の名前や場所を変えました",
    "device_revoked": "端末の接続を止めました",
    "kiosk_pin_set": "受付機の暗証番号を変えました",
    "kiosk_published": "受付機の内容を公開しました",
    "hours_published": "開庁時間を公開しました",
    "training_begun": "訓練を始めました",
    "training_ended": "訓練を終えました",
    "roster_published": "配置表を公開しました",
    "dials_changed": "順番の決めかたを変えました",
    "roster_people_changed": "配置表の職員を変えました",
    "fee_exempted": "手数料を免除しました",
    "fee_charged": "手数料の免除をやめました",
    "refund_requested": "返金を求めました",
    "refund_approved": "返金を承認しました",
    "refund_declined": "返金を取り下げました",
    "refund_paid_out": "窓口で返金しました",
    "backup_made": "バックアップを作りました",
    "message_changed": "お知らせの文面を変えました",
    "restored": "バックアップから復元しました",
}


_FIELDS = {
    "name": "名前", "section": "課・係", "role": "役割", "office_id": "庁舎", "hall": "フロア", "label": "名前",
    "login": "職員番号", "from": "端末のアドレス", "version": "版", "keys": "変えた所", "act": "内容",
    "left": "残り", "made_at": "バックアップの日時", "leap": "番号の飛び",
}  # fmt: skip
_VALUES: dict[str, str] = {
    **{str(role): name for role, name in ROLE_NAMES.items()},
    Role.DISPLAY: "表示板", Role.KIOSK: "受付機", "grant": "全体管理者にする", "open": "使用を始める",
    "password": "パスワードを作り直す",
}  # fmt: skip
_INNER = ("office", "approval", "before", "after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One fact of an entry; ``before`` only where it was changed. ``name`` is Japanese source text."""

    name: str
    value: str
    before: str = ""


def details(entry: AuditEntry, places: Mapping[str, str]) -> list[Detail]:
    """What an entry tells besides who, what and whom; ``places``: names of offices and halls by id."""
    found, before, after = [], entry.details.get("before"), entry.details.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        found = [
            Detail(
                name=_FIELDS.get(str(name), str(name)),
                before=_said(before.get(name), places),
                value=_said(value, places),
            )
            for name, value in after.items()
            if before.get(name) != value
        ]
    facts = (after if isinstance(after, dict) and not found else {}) | entry.details
    return found + [
        Detail(name=_FIELDS.get(str(name), str(name)), value=_said(value, places))
        for name, value in facts.items()
        if name not in _INNER and value not in (None, "")
    ]


def _said(value: object, places: Mapping[str, str]) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "–" if value in (None, "") else ({**_VALUES, **places}).get(str(value), str(value))


@blueprint.get("/log")
@security.policy(Function.READ_AUDIT)
def log() -> Response:
    """A page of entries; a department sees its own office's. ``check`` verifies the whole chain."""
    who = security.caller()
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before <= MOST:
        before = None
    with security.database().snapshot() as session:
        rows = audit.page(session, who.municipality_id, office_id=who.office_id, before=before, limit=_ROWS + 1)
        checked = None
        if "check" in request.args and who.office_id is None:
            checked = {
                # A long chain must not hold up those who are called meanwhile.
                "broken": audit.verify(session, who.municipality_id, key(), pause=lambda: time.sleep(0)),
                "head": audit.head(session, who.municipality_id),
            }
        return page(
            session, "log", area="log", rows=rows[:_ROWS], more=rows[_ROWS - 1].number if len(rows) > _ROWS else None,
            first=before is None, actions=ACTIONS, actors=_actors(session, rows), subjects=_subjects(session, rows),
            checked=checked, whole=who.office_id is None, details=details, places=_places(session, who.municipality_id),
        )  # fmt: skip


def _places(session: Session, municipality_id: str) -> dict[str, str]:
    offices = session.scalars(select(Office).where(Office.municipality_id == municipality_id)).all()
    halls = session.scalars(select(Hall).where(Hall.office_id.in_([each.id for each in offices])))
    return {each.id: plain(pick(each.name)) for each in (*offices, *halls)}


def _numbers(words: Sequence[str], kind: str) -> set[int]:
    found = (word.partition(":") for word in words)
    return {int(number) for name, _, number in found if name == kind and number.isdigit()}


def _accounts(session: Session, numbers: set[int]) -> dict[int, str]:
    rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(numbers)))
    return {row.id: row.name for row in rows}


def _tokens(session: Session, numbers: set[int]) -> dict[int, str]:
    rows = session.execute(select(AccessToken.id, AccessToken.label).where(AccessToken.id.in_(numbers)))
    return {row.id: row.label for row in rows}


def _actors(session: Session, rows: Sequence[AuditEntry]) -> dict[str, str]:
    words = [row.actor for row in rows]
    staff, tokens = _accounts(session, _numbers(words, "staff")), _tokens(session, _numbers(words, "token"))
    return {f"staff:{n}": name for n, name in staff.items()} | {f"token:{n}": name for n, name in tokens.items()}


def _subjects(session: Session, rows: Sequence[AuditEntry]) -> dict[str, Any]:
    words = [row.subject for row in rows]
    people, tokens = _accounts(session, _numbers(words, "account")), _tokens(session, _numbers(words, "device"))
    return {f"account:{n}": name for n, name in people.items()} | {f"device:{n}": name for n, name in tokens.items()}
