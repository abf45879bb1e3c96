"""The municipality as data: ``load(directory)`` reads, checks and returns the whole document.

Everything that is wrong is told at once, each with file, line and field (``DocumentError.problems``).
"""

from pathlib import Path

from pydantic import ValidationError

from config.document import MunicipalityDocument
from config.document_checks import check
from config.yaml_source import Key, Problem, Source, read

SAMPLE = Path(__file__).parent / "sample"


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
