"""How the parts of a municipality's document stand in the tables: plain values, no session.

Ids of halls, categories, profiles and counters are unique in the database, so they carry their office:
``ward-certificates``, ``ward-3``.
"""

from typing import Any

from app.domain.calendar import WEEKDAYS
from app.services.staff_members import Member
from config import document_office as parts
from config.document import Colleague, MunicipalityDocument
from config.document_services import Service

Row = dict[str, Any]


def key(office: parts.Office, name: str) -> str:
    return f"{office.id}-{name}"


def municipality(document: MunicipalityDocument) -> Row:
    tenant = document.municipality
    sections = [counter.section for office in document.offices for counter in office.counters]
    sections += [person.section for person in document.staff]
    return {
        "name": dict(tenant.name),
        "settings": {
            "city_hall": dict(tenant.city_hall),
            "neutral": dict(tenant.neutral),
            "languages": list(tenant.languages),
            "timezone": tenant.timezone,
            "booking_kept_days": tenant.booking_kept_days,
            "staff_access": tenant.staff_access.model_dump(mode="json"),
            "sections": {section["ja"]: section for section in sections},
        },
    }


def service(document: MunicipalityDocument, item: Service) -> Row:
    """``documents`` are resolved to words, so that a list of services needs no second look-up."""
    sensitive = item.privacy == "high"
    return {
        "municipality_id": document.municipality.id,
        "name": dict(item.name),
        "public_name": dict(document.municipality.neutral if sensitive else item.name),
        "fee_yen": item.fee.yen,
        "minutes": item.minutes.model_dump(),
        "phases": list(item.phases),
        "documents": _documents(document, item),
        "bookable": item.booking != "none",
        "sensitive": sensitive,
        "details": {
            "booking": item.booking,
            "lead_days": item.lead_days,
            "booking_rules": item.booking_rules.model_dump(mode="json"),
            "online": item.online,
            "fee_basis": item.fee.basis,
            "fee_note": item.fee.note,
            "paid_before": item.paid_before,
            "deadline": item.deadline,
            "deadline_days": item.deadline_days,
            "note": item.note,
            "season": item.season.model_dump(by_alias=True) if item.season else None,
            "basis": item.basis,
            "sources": list(item.sources),
        },
    }


def _documents(document: MunicipalityDocument, item: Service) -> list[Row]:
    names = {known.id: known for known in document.documents}
    conditions = {known.id: known.name for known in document.conditions}
    return [
        {
            "id": needed.document,
            "name": dict(names[needed.document].name),
            "hint": names[needed.document].hint,
            "when": dict(conditions[needed.when]) if needed.when else None,
        }
        for needed in item.documents
    ]


def items(document: MunicipalityDocument) -> dict[str, dict[str, Row]]:
    """What is read as a whole, by kind and id."""
    return {
        "question": {item.id: item.model_dump(mode="json", exclude={"id"}) for item in document.questions},
        "life_event": {item.id: item.model_dump(mode="json", exclude={"id"}) for item in document.life_events},
        "phrase": {item.id: item.model_dump(mode="json", exclude={"id"}) for item in document.phrases},
        "source": {item.id: item.model_dump(mode="json", exclude={"id"}) for item in document.sources},
        "holiday": {item.date.isoformat(): {"name": dict(item.name)} for item in document.extra_holidays},
    }


def office_settings(office: parts.Office) -> Row:
    return {
        "short_name": dict(office.short),
        "address": dict(office.address),
        "phone": office.phone,
        "web_ticket_confirm": office.web_ticket_confirm,
        "open_kiosk": office.open_kiosk,
        "cashiers": [str(number) for number in office.cashiers],
        "late_payment": office.late_payment,
    }


def hall(office: parts.Office, item: parts.Hall, position: int) -> Row:
    return {
        "office_id": office.id,
        "name": dict(item.name),
        "position": position,
        "settings": {"floor": dict(item.floor), "voice": item.voice, "languages": list(item.languages)},
    }


def category(office: parts.Office, item: parts.Category, position: int) -> Row:
    return {
        "office_id": office.id,
        "hall_id": key(office, item.hall),
        "prefix": item.prefix,
        "name": dict(item.name),
        "short_name": dict(item.short),
        # A line of many services gives nobody away by its name; the neutral one is for a single number.
        "public_name": dict(item.name),
        "neutral_name": dict(item.neutral or {}),
        "section": item.section["ja"],
        "position": position,
        "shape": item.shape,
        "hue": item.hue,
        "target_minutes": item.target_minutes,
        "booking_only": not item.walk_in,
        "web_ticket": item.web_ticket,
        "policy": item.policy.model_dump(),
        "numbers": {"digits": item.digits, "skip": list(office.skip_numbers)},
        "booking": item.booking.model_dump(mode="json", by_alias=True) if item.booking else {},
    }


def profile(office: parts.Office, item: parts.WorkProfile, position: int) -> Row:
    return {
        "office_id": office.id,
        "name": dict(item.name),
        "position": position,
        "lines": [{"category": key(office, line.category), "after_minutes": line.after} for line in item.lines],
    }


def counter(office: parts.Office, item: parts.Counter, position: int) -> Row:
    return {
        "office_id": office.id,
        "hall_id": key(office, item.hall),
        "number": str(item.no),
        "name": dict(item.name),
        "section": item.section["ja"],
        "position": position,
        "default_profile_id": key(office, item.profile) if item.profile else None,
    }


def notice(office: parts.Office, item: parts.Notice, position: int) -> Row:
    return {
        "office_id": office.id,
        "hall_id": key(office, item.hall) if item.hall else None,
        "level": item.level,
        "words": dict(item.text),
        "position": position,
    }


def kiosk(office: parts.Office) -> Row:
    """The first screen as the content of app/domain/kiosk.py."""
    content: Row = {"order": [purpose.id for purpose in office.kiosk]}
    for purpose in office.kiosk:
        at = f"purpose.{purpose.id}"
        content[f"{at}.category"] = key(office, purpose.category)
        content[f"{at}.services"] = list(purpose.services)
        content |= {f"{at}.title.{language}": text for language, text in purpose.title.items()}
        content |= {f"{at}.line.{language}": text for language, text in (purpose.line or {}).items()}
        content |= {f"{at}.{name}": True for name in ("hidden", "booked_only") if getattr(purpose, name)}
        times = {"opens": purpose.opens, "closes": purpose.closes}
        content |= {f"{at}.{name}": f"{clock:%H:%M}" for name, clock in times.items() if clock}
    content |= {f"colour.{key(office, item.id)}": item.hue for item in office.categories}
    return content


def hours(office: parts.Office) -> Row:
    """The opening hours as the content of app/domain/hours.py."""
    plan = office.hours
    content: Row = {"holidays": {"closed": plan.closed_on_holidays}}
    for index, rule in enumerate(plan.rules, start=1):
        content[f"rule.{index:02}"] = {
            "days": list(rule.days),
            "nth": list(rule.nth),
            "season": rule.season.model_dump(by_alias=True) if rule.season else None,
            "categories": [key(office, name) for name in rule.categories],
            "note": rule.note,
            **_interval(rule),
        }
    for index, closure in enumerate(plan.closures, start=1):
        content[f"closure.{index:02}"] = closure.model_dump(by_alias=True)
    for day in plan.special_days:
        content[f"special.{day.date.isoformat()}"] = {
            "intervals": [_interval(interval) for interval in day.intervals],
            "categories": [key(office, name) for name in day.categories],
            "note": dict(day.note),
        }
    return content


def _interval(interval: parts.Interval) -> Row:
    last = interval.reception_close or interval.close
    return {
        "open": f"{interval.open:%H:%M}",
        "close": f"{interval.close:%H:%M}",
        "reception_close": f"{last:%H:%M}",
    }


def colleague(office: parts.Office, person: Colleague) -> Member:
    """A person for the rosters; every day of the week with the same hours."""
    times = tuple(each.hour * 60 + each.minute for each in (person.from_, person.until))
    return Member(
        name=person.name, section=person.section["ja"], lines=[key(office, line) for line in person.lines],
        hours={WEEKDAYS.index(day): (times[0], times[1]) for day in person.days}, lunch_min=person.lunch,
        rest_min=person.rest,
    )  # fmt: skip
