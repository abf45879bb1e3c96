"""Who may do what: one literal table of roles and functions (quality.md, "Who may do what")."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    CLERK = "clerk"
    FLOOR_LEAD = "floor-lead"
    DEPARTMENT_ADMIN = "department-admin"
    CITY_ADMIN = "city-admin"
    AUDITOR = "auditor"
    KIOSK = "kiosk"
    DISPLAY = "display"


class Function(StrEnum):
    """What a caller wants to do; every route and socket event names one of these, or PUBLIC."""

    PUBLIC = "public"
    TAKE_TICKET = "take_ticket"
    SEE_WAITS = "see_waits"
    SEE_QUEUE = "see_queue"
    CALL = "call"
    ASSIGN_COUNTERS = "assign_counters"
    KIOSK_STAFF = "kiosk_staff"
    SHOW_BOARD = "show_board"
    LEAD = "lead"
    EDIT_PLACE = "edit_place"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_DEVICES = "manage_devices"
    READ_AUDIT = "read_audit"
    SEE_METRICS = "see_metrics"
    READ_REPORTS = "read_reports"
    PLAN_STAFF = "plan_staff"
    TAKE_MONEY = "take_money"
    ASK_REFUND = "ask_refund"
    APPROVE_REFUND = "approve_refund"
    SEE_MONEY = "see_money"
    BOOK = "book"
    SEE_BOOKINGS = "see_bookings"
    SEE_PERSON = "see_person"
    MOVE_BOOKINGS = "move_bookings"
    EDIT_SLOTS = "edit_slots"
    SIGNED_IN = "signed_in"


_R, _F = Role, Function
_DESK = {_F.TAKE_TICKET, _F.SEE_WAITS, _F.SEE_QUEUE, _F.CALL, _F.ASSIGN_COUNTERS, _F.TAKE_MONEY,
         _F.BOOK, _F.SEE_BOOKINGS, _F.SIGNED_IN}  # fmt: skip

ALLOWED: Mapping[Role, frozenset[Function]] = MappingProxyType(
    {
        _R.CLERK: frozenset(_DESK),
        _R.FLOOR_LEAD: frozenset(
            _DESK | {_F.SEE_PERSON, _F.MOVE_BOOKINGS, _F.READ_REPORTS, _F.PLAN_STAFF, _F.LEAD, _F.ASK_REFUND,
                     _F.SEE_MONEY}
        ),
        _R.DEPARTMENT_ADMIN: frozenset(
            {_F.SEE_BOOKINGS, _F.MOVE_BOOKINGS, _F.EDIT_SLOTS, _F.PLAN_STAFF,
             _F.READ_REPORTS, _F.SEE_WAITS, _F.SEE_QUEUE, _F.ASSIGN_COUNTERS, _F.LEAD, _F.EDIT_PLACE, _F.MANAGE_DEVICES,
             _F.READ_AUDIT, _F.TAKE_MONEY, _F.APPROVE_REFUND, _F.SEE_MONEY, _F.SIGNED_IN}
        ),
        _R.CITY_ADMIN: frozenset(
            {_F.EDIT_SLOTS, _F.PLAN_STAFF,
             _F.READ_REPORTS, _F.SEE_WAITS, _F.LEAD, _F.EDIT_PLACE, _F.MANAGE_PEOPLE, _F.MANAGE_DEVICES, _F.READ_AUDIT,
             _F.SEE_METRICS, _F.ASK_REFUND, _F.APPROVE_REFUND, _F.SEE_MONEY, _F.SIGNED_IN}
        ),
        _R.AUDITOR: frozenset({_F.SEE_BOOKINGS, _F.READ_REPORTS, _F.SEE_WAITS, _F.READ_AUDIT, _F.SIGNED_IN}),
        _R.KIOSK: frozenset({_F.TAKE_TICKET, _F.BOOK, _F.SEE_WAITS, _F.KIOSK_STAFF, _F.SHOW_BOARD}),
        _R.DISPLAY: frozenset({_F.SEE_WAITS, _F.SHOW_BOARD}),
    }
)  # fmt: skip


def may(role: Role, function: Function) -> bool:
    """Whether the role has the function at all; where it has it is decided by office and counter."""
    return function is Function.PUBLIC or function in ALLOWED[role]
