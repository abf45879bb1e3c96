"""How many messages a text costs: 160 letters of the basic alphabet or 70 of any other fit into one.

A longer text is cut into parts of 153 or 67, as each part carries where it belongs (3GPP TS 23.038 and 23.040).
"""

from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
# These are written with an escape before them and count as two.
_EXTENDED = frozenset("^{}\\[~]|€\f")


@dataclass(frozen=True, slots=True)
class Length:
    """``letters`` as they are counted, ``parts`` as they are paid, ``room`` for letters in one message."""

    letters: int
    parts: int
    room: int


def _wide(text: str) -> int:
    """Letters in UTF-16, as the network counts all but the basic alphabet: 𠮷 and emoji are two."""
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


def length(text: str) -> Length:
    """Letters and messages of a text; an empty one is one message."""
    if all(letter in _BASIC or letter in _EXTENDED for letter in text):
        weights, single, part = [2 if letter in _EXTENDED else 1 for letter in text], 160, 153
    else:
        weights, single, part = [_wide(letter) for letter in text], 70, 67
    letters = sum(weights)
    if letters <= single:
        return Length(letters, 1, single)
    parts, used = 1, 0
    for weight in weights:
        # A letter of two is not torn apart.
        if used + weight > part:
            parts, used = parts + 1, 0
        used += weight
    return Length(letters, parts, single)


__all__ = ["Length", "length"]
