"""The municipality as data: ``load(directory)`` reads, checks and returns the whole document.

Everything that is wrong is told at once, each with file, line and field (``DocumentError.problems``).
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from config.document_checks import check
from config.document_office import Office
from config.document_services import Condition, Document, Holiday, LifeEvent, Question, Reference, Service
from config.document_words import Id, Part, StaffWords, Words
from config.yaml_source import Key, Problem, Source, read

SAMPLE = Path(__file__).parent / "sample"


class Municipality(Part):
    """``neutral``: what a procedure is called where its own name must not be read by others."""

    id: Id
    name: Words
    city_hall: Words
    neutral: Words
    languages: Annotated[tuple[str, ...], Field(min_length=1)]
    timezone: Literal["Asia/Tokyo"] = "Asia/Tokyo"


class Phrase(Part):
    """A sentence of the hall: as written on a board, and as a voice says it."""

    id: Id
    written: Words
    spoken: Words | None = None


class StaffMember(Part):
    """A demonstration account. Passwords are never data: they are drawn at the first start."""

    login: Id
    name: Annotated[str, Field(min_length=1, max_length=40)]
    section: StaffWords
    role: Literal["clerk", "floor-lead", "department-admin", "city-admin", "auditor"]
    offices: tuple[Id, ...] = ()
    profile: Id | None = None


class MunicipalityDocument(Part):
    municipality: Municipality
    sources: tuple[Reference, ...] = ()
    documents: tuple[Document, ...] = ()
    conditions: tuple[Condition, ...] = ()
    services: Annotated[tuple[Service, ...], Field(min_length=1)]
    questions: tuple[Question, ...] = ()
    life_events: tuple[LifeEvent, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    extra_holidays: tuple[Holiday, ...] = ()
    offices: Annotated[tuple[Office, ...], Field(min_length=1)]
    staff: tuple[StaffMember, ...] = ()


class DocumentError(Exception):
    """The document cannot be used; ``problems`` are all of them, sorted by file and line."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def load(directory: Path) -> MunicipalityDocument:
    """The document in ``directory`` (all its ``*.yaml``); DocumentError when anything in it is wrong."""
    source = read(directory)
    if source.problems:
        # What could not be read would only bring false follow-up problems.
        raise DocumentError(source.problems)
    try:
        document = MunicipalityDocument.model_validate(source.data)
    except ValidationError as error:
        raise DocumentError(_shape_problems(source, error)) from None
    problems = [source.problem(key, message) for key, message in check(document)]
    if problems:
        raise DocumentError(problems)
    return document


def _shape_problems(source: Source, error: ValidationError) -> list[Problem]:
    problems = []
    for item in error.errors(include_url=False, include_input=False):
        if item["type"] == "too_short" and _value(source, tuple(item["loc"])):
            continue  # not short: only its items are wrong, and those are told
        message = item["msg"].removeprefix("Value error, ")
        problems.append(source.problem(tuple(item["loc"]), message[:1].lower() + message[1:]))
    return problems


def _value(source: Source, key: Key) -> object:
    value: object = source.data
    for part in key:
        value = value[part] if isinstance(value, (dict, list)) else None  # type: ignore[index]
    return value
