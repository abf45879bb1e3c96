"""What may be the name of a person, a section or a device."""

import pytest

from app.domain.errors import InvalidInput
from app.domain.labels import label


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("田中 美咲", "田中 美咲"), ("  田中　 美咲 ", "田中 美咲"), ("e\u0301", "é"), ("👩‍💻", "👩‍💻"), ("<b>", "<b>")],
)
def test_a_name_in_its_one_form(typed: str, stored: str) -> None:
    assert label(typed, field="name", limit=10) == stored


@pytest.mark.parametrize("typed", ["a\x00", "a\nb", "\ud800", "a\u202eb", "\u2066a", "\uffff"])
def test_what_cannot_be_read_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        label(typed, field="name", limit=10)
    assert (caught.value.reason, caught.value.values) == ("bad_text", {"field": "name"})


def test_empty_and_too_long() -> None:
    with pytest.raises(InvalidInput) as caught:
        label("　", field="name", limit=10)
    assert caught.value.reason == "empty"
    assert label("　", field="name", limit=10, required=False) == ""
    with pytest.raises(InvalidInput) as caught:
        label("x" * 11, field="name", limit=10)
    assert caught.value.values == {"field": "name", "limit": 10, "length": 11}
