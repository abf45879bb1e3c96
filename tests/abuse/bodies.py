"""Bodies and words that break careless programs."""

import json

# Words for any field that takes a name or an id.
WORDS: dict[str, str] = {
    "empty": "",
    "nul": "a\x00b",
    "right to left": "\u202ejuminhyo",
    "long": "あ" * 10_000,
    "emoji": "👨‍👩‍👧‍👦" * 5,
    "half-width kana": "ｼﾞｭｳﾐﾝﾋｮｳ",
    "full-width": "ｊｕｍｉｎｈｙｏ",
    "quote": "' OR 1=1 --",
    "per cent": "%",
    "path": "../../etc/passwd",
    "markup": "<script>alert(1)</script>",
    "template": "{{ 7 * 7 }}${7*7}",
    "format": "%(n)s %s {0}",
    "line break": "a\r\nSet-Cookie: x=1",
    "zero width": "jumin\u200bhyo",
    "bell": "\x07\x1b[31m",
    "bare surrogate escape": "\\ud800",
}
# Raw bodies as JSON, with the status each must get at a route that takes a small object.
RAW: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 422),
    "an open brace": (b"{", 400),
    "a lone surrogate": (b'{"services":["\\ud800"]}', 400),
    "half a character": (b'{"services":["\xe3\x81"]}', 400),
    "latin": (b'{"services":["\xff"]}', 400),
    "a NUL": (b'{"services":["a\x00"]}', 422),
    "an escaped NUL": (b'{"services":["a\\u0000"]}', 422),
    "lists 10,000 deep": (b"[" * 10_000, 400),
    "closed lists 10,000 deep": (b"[" * 10_000 + b"]" * 10_000, 400),
    "objects 10,000 deep": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
    "2 MB": (b'{"services":["' + b"x" * 2_000_000 + b'"]}', 413),
    "a list": (b"[]", 422),
    "a word": (b'"x"', 422),
    "null": (b"null", 422),
    "a number no float holds": (b'{"party":1e400}', 422),
    "not a number": (b'{"party":NaN}', 400),
    "a number of 4,000 digits": (b'{"party":' + b"9" * 4_000 + b"}", 422),
    "a name twice": (b'{"services":["juminhyo"],"services":["nothing"]}', 404),
    "a byte order mark": (b"\xef\xbb\xbf" + json.dumps({"services": ["juminhyo"]}).encode(), 400),
    "utf-16": (json.dumps({"services": ["juminhyo"]}).encode("utf-16"), 400),
}
