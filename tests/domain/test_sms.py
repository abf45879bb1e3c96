"""What a text message costs."""

import pytest

from app.domain import sms


@pytest.mark.parametrize(
    ("text", "letters", "parts", "room"),
    [
        ("", 0, 1, 160), ("a" * 160, 160, 1, 160), ("a" * 161, 161, 2, 160), ("a" * 306, 306, 2, 160),
        ("a" * 307, 307, 3, 160), ("あ" * 70, 70, 1, 70), ("あ" * 71, 71, 2, 70), ("あ" * 134, 134, 2, 70),
        ("あ" * 135, 135, 3, 70), ("{" * 80, 160, 1, 160), ("{" * 81, 162, 2, 160),
        ("a" * 152 + "{" * 5, 162, 2, 160),
        ("𠮷", 2, 1, 70), ("あ" * 66 + "𠮷" + "あ" * 66, 134, 3, 70), ("ã", 1, 1, 70), ("é", 1, 1, 160),
        ("ế", 1, 1, 70),
    ],
)  # fmt: skip
def test_length(text: str, letters: int, parts: int, room: int) -> None:
    assert sms.length(text) == sms.Length(letters, parts, room)
