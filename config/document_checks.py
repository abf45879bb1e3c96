"""Cross references and rules that span several parts of the document.

``check`` yields ``(path, message)`` for everything wrong; paths are those of the joined files.
"""

import calendar
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from config.document import MunicipalityDocument, Phrase
from config.document_office import Category, Office
from config.document_services import LifeEvent, Question, Season, Service
from config.document_words import LANGUAGES, ResidentText, placeholders
from config.yaml_source import Key

Found = Iterator[tuple[Key, str]]

PHRASES = {
    "call": {"number", "counter"},
    "deliver": {"number", "counter"},
    "near": {"ahead"},
    "absent": {"number"},
}


def check(document: MunicipalityDocument) -> Found:
    """Everything wrong between the parts of a document whose parts are right by themselves."""
    yield from _unique(("services",), [service.id for service in document.services], "service")
    yield from _unique(("documents",), [item.id for item in document.documents], "document")
    yield from _unique(("conditions",), [item.id for item in document.conditions], "condition")
    yield from _unique(("sources",), [item.id for item in document.sources], "source")
    yield from _unique(("questions",), [item.id for item in document.questions], "question")
    yield from _unique(("life_events",), [item.id for item in document.life_events], "life event")
    yield from _unique(("offices",), [office.id for office in document.offices], "office")
    yield from _unique(("staff",), [person.login for person in document.staff], "login", name="login")
    yield from _languages(document)
    yield from _services(document)
    for index, event in enumerate(document.life_events):
        yield from _life_event(("life_events", index), event, document)
    for index, office in enumerate(document.offices):
        yield from check_office(("offices", index), office, document)
    yield from _phrases(document.phrases)
    yield from _staff(document)
    yield from _colleagues(document)


def _unique(at: Key, values: Sequence[object], what: str, *, name: str = "id") -> Found:
    seen: set[object] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield (*at, index, name), f"{what} {value} is there twice"
        seen.add(value)


def _unknown(at: Key, values: Iterable[object], known: Iterable[object], what: str) -> Found:
    names = set(known)
    for index, value in enumerate(values):
        if value not in names:
            yield (*at, index), f"unknown {what} {value}"


def _languages(document: MunicipalityDocument) -> Found:
    languages = document.municipality.languages
    yield from _unknown(("municipality", "languages"), languages, LANGUAGES, "language")
    wanted = [language for language in languages if language in LANGUAGES]
    for key, words in _resident_words((), document):
        missing = [language for language in wanted if language not in words]
        if missing:
            yield key, f"missing: {', '.join(missing)}"


def _resident_words(at: Key, part: BaseModel) -> Iterator[tuple[Key, dict[str, str]]]:
    """Every text of the document a resident sees, with its path."""
    for name, info in type(part).model_fields.items():
        value = getattr(part, name)
        key = (*at, info.alias or name)
        if isinstance(value, dict) and _is_resident_text(info.metadata, info.annotation):
            yield key, value
        elif isinstance(value, BaseModel):
            yield from _resident_words(key, value)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, BaseModel):
                    yield from _resident_words((*key, index), item)


def _is_resident_text(metadata: Sequence[Any], annotation: Any) -> bool:
    marks = [*metadata]
    for option in getattr(annotation, "__args__", ()):
        marks.extend(getattr(option, "__metadata__", ()))
    return any(isinstance(mark, ResidentText) for mark in marks)


def _services(document: MunicipalityDocument) -> Found:
    documents = {item.id for item in document.documents}
    conditions = {item.id for item in document.conditions}
    sources = {item.id for item in document.sources}
    offered = {name for office in document.offices for category in office.categories for name in category.services}
    for index, service in enumerate(document.services):
        at: Key = ("services", index)
        for number, needed in enumerate(service.documents):
            if needed.document not in documents:
                yield (*at, "documents", number, "document"), f"unknown document {needed.document}"
            if needed.when is not None and needed.when not in conditions:
                yield (*at, "documents", number, "when"), f"unknown condition {needed.when}"
        yield from _unknown((*at, "sources"), service.sources, sources, "source")
        if service.season is not None:
            yield from _season((*at, "season"), service.season)
        if service.id not in offered:
            yield (*at, "id"), f"service {service.id} is in no category of any office"


def _season(at: Key, season: Season) -> Found:
    for name, text in (("from", season.from_), ("to", season.to)):
        month, day = (int(part) for part in text.split("-"))
        # 29 February is a day of the year too.
        if day > calendar.monthrange(2024, month)[1]:
            yield (*at, name), f"there is no day {text}"


def _life_event(at: Key, event: LifeEvent, document: MunicipalityDocument) -> Found:
    services = {service.id for service in document.services}
    questions: dict[str, Question] = {question.id: question for question in document.questions}
    for index, step in enumerate(event.steps):
        key = (*at, "steps", index)
        if step.service not in services:
            yield (*key, "service"), f"unknown service {step.service}"
        if step.when is None:
            continue
        question = questions.get(step.when.question)
        if question is None:
            yield (*key, "when", "question"), f"unknown question {step.when.question}"
            continue
        yield from _unknown((*key, "when", "answers"), step.when.answers, question.answer_ids, "answer")


def check_office(at: Key, office: Office, document: MunicipalityDocument) -> Found:
    """Everything wrong between the parts of one office."""
    halls = [hall.id for hall in office.halls]
    categories = [category.id for category in office.categories]
    yield from _unique((*at, "halls"), halls, "hall")
    yield from _unique((*at, "categories"), categories, "category")
    yield from _unique((*at, "categories"), [item.prefix for item in office.categories], "prefix", name="prefix")
    yield from _unique((*at, "counters"), [counter.no for counter in office.counters], "counter", name="no")
    yield from _unique((*at, "profiles"), [profile.id for profile in office.profiles], "profile")
    yield from _unique((*at, "kiosk"), [purpose.id for purpose in office.kiosk], "purpose")
    yield from _unique((*at, "notices"), [notice.id for notice in office.notices], "notice")
    for index, hall in enumerate(office.halls):
        yield from _unknown((*at, "halls", index, "languages"), hall.languages, LANGUAGES, "language")
    yield from _categories(at, office, document)
    yield from _counters(at, office)
    yield from _profiles(at, office)
    yield from _hours(at, office)
    yield from _kiosk(at, office)
    for index, notice in enumerate(office.notices):
        if notice.hall is not None and notice.hall not in halls:
            yield (*at, "notices", index, "hall"), f"unknown hall {notice.hall}"


def _categories(at: Key, office: Office, document: MunicipalityDocument) -> Found:
    services = {service.id: service for service in document.services}
    halls = {hall.id for hall in office.halls}
    taken: dict[str, str] = {}
    for index, category in enumerate(office.categories):
        key = (*at, "categories", index)
        if category.hall not in halls:
            yield (*key, "hall"), f"unknown hall {category.hall}"
        yield from _unknown((*key, "services"), category.services, services, "service")
        for number, name in enumerate(category.services):
            if name in taken:
                yield (*key, "services", number), f"service {name} is in category {taken[name]} already"
            taken.setdefault(name, category.id)
        private = [name for name in category.services if name in services and services[name].privacy == "high"]
        if private and category.neutral is None:
            yield key, f"neutral is needed: {', '.join(private)} must not be named to others"
        yield from _booking(key, category, services)


def _booking(at: Key, category: Category, services: Mapping[str, Service]) -> Found:
    bookable = [name for name in category.services if name in services and services[name].booking != "none"]
    if category.booking is None:
        must = [name for name in bookable if services[name].booking == "required"]
        if must or not category.walk_in:
            yield at, f"booking is needed: {', '.join(must) or category.id} cannot be had without"
        return
    if not bookable:
        yield (*at, "booking"), "no service of this category can be booked"
    yield from _unique((*at, "booking", "groups"), [group.id for group in category.booking.groups], "group")
    for index, group in enumerate(category.booking.groups):
        yield from _unknown((*at, "booking", "groups", index, "services"), group.services, bookable, "bookable service")


def _counters(at: Key, office: Office) -> Found:
    numbers = {counter.no for counter in office.counters}
    yield from _unknown((*at, "cashiers"), office.cashiers, numbers, "counter")
    halls = {hall.id for hall in office.halls}
    profiles = {profile.id: profile for profile in office.profiles}
    served: set[str] = set()
    for index, counter in enumerate(office.counters):
        if counter.hall not in halls:
            yield (*at, "counters", index, "hall"), f"unknown hall {counter.hall}"
        if counter.profile in profiles:
            served.update(line.category for line in profiles[counter.profile].lines if line.after is None)
        elif counter.profile is not None:
            yield (*at, "counters", index, "profile"), f"unknown profile {counter.profile}"
    for index, category in enumerate(office.categories):
        if category.id not in served:
            yield (*at, "categories", index), f"no counter serves category {category.id} as its own"


def _profiles(at: Key, office: Office) -> Found:
    categories = {category.id for category in office.categories}
    for index, profile in enumerate(office.profiles):
        key = (*at, "profiles", index, "lines")
        for number, line in enumerate(profile.lines):
            if line.category not in categories:
                yield (*key, number, "category"), f"unknown category {line.category}"
        yield from _unique(key, [line.category for line in profile.lines], "category", name="category")
        if all(line.after is not None for line in profile.lines):
            yield key, "at least one category must be primary (without after)"


def _hours(at: Key, office: Office) -> Found:
    categories = {category.id for category in office.categories}
    for index, rule in enumerate(office.hours.rules):
        key = (*at, "hours", "rules", index)
        yield from _unknown((*key, "categories"), rule.categories, categories, "category")
        if rule.season is not None:
            yield from _season((*key, "season"), rule.season)
    for index, closure in enumerate(office.hours.closures):
        season = Season.model_validate({"from": closure.from_, "to": closure.to})
        yield from _season((*at, "hours", "closures", index), season)
    days = office.hours.special_days
    yield from _unique((*at, "hours", "special_days"), [day.date for day in days], "special day", name="date")
    for index, day in enumerate(days):
        key = (*at, "hours", "special_days", index)
        yield from _unknown((*key, "categories"), day.categories, categories, "category")
        for before, after in zip(day.intervals, day.intervals[1:], strict=False):
            if after.open < before.close:
                yield (*key, "intervals"), "intervals must follow each other"


def _kiosk(at: Key, office: Office) -> Found:
    lines = {category.id: category for category in office.categories}
    for index, purpose in enumerate(office.kiosk):
        key = (*at, "kiosk", index)
        category = lines.get(purpose.category)
        if category is None:
            yield (*key, "category"), f"unknown category {purpose.category}"
            continue
        for number, name in enumerate(purpose.services):
            if name not in category.services:
                yield (*key, "services", number), f"service {name} is not in category {category.id}"


def _phrases(phrases: "Sequence[Phrase]") -> Found:
    yield from _unique(("phrases",), [phrase.id for phrase in phrases], "phrase")
    for index, phrase in enumerate(phrases):
        wanted = PHRASES.get(phrase.id)
        if wanted is None:
            yield ("phrases", index, "id"), f"unknown phrase {phrase.id}"
        elif placeholders(phrase.written["ja"]) != wanted:
            yield ("phrases", index, "written"), "must hold " + ", ".join("{" + name + "}" for name in sorted(wanted))
    missing = sorted(set(PHRASES) - {phrase.id for phrase in phrases})
    if missing:
        yield ("phrases",), f"missing: {', '.join(missing)}"


def _staff(document: MunicipalityDocument) -> Found:
    profiles = {office.id: {profile.id for profile in office.profiles} for office in document.offices}
    for index, person in enumerate(document.staff):
        key: Key = ("staff", index)
        yield from _unknown((*key, "offices"), person.offices, profiles, "office")
        known = set().union(*(profiles.get(office, set()) for office in person.offices))
        if person.profile is not None and person.profile not in known:
            yield (*key, "profile"), f"unknown profile {person.profile} in the offices of {person.login}"


def _colleagues(document: MunicipalityDocument) -> Found:
    lines = {office.id: {line.id for line in office.categories} for office in document.offices}
    for index, person in enumerate(document.colleagues):
        key: Key = ("colleagues", index)
        yield from _unknown((*key, "office"), [person.office], lines, "office")
        yield from _unknown((*key, "lines"), person.lines, lines.get(person.office, person.lines), "category")
        if person.from_ >= person.until:
            yield (*key, "until"), "must be after from"
