"""What messages say before a city edits it: ``config/texts/messages.yaml``, read once and checked for its shape.

What may stand in a text is a rule of the domain (app/domain/message_text.py) and is held by a test.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

FILE = Path(__file__).parent / "texts" / "messages.yaml"


class MessageWords(BaseModel):
    """One occasion in one language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: str = Field(min_length=1, max_length=60)
    short: str = Field(min_length=1, max_length=600)
    long: str = ""


_SHAPE = TypeAdapter(dict[str, dict[str, MessageWords]])


@cache
def load(file: Path = FILE) -> Mapping[str, Mapping[str, MessageWords]]:
    """Texts by occasion and language; raises ValidationError or a YAML error with the place of the mistake."""
    return MappingProxyType(_SHAPE.validate_python(yaml.safe_load(file.read_text(encoding="utf-8"))))
