"""Numbers as they are printed and typed, and the secrets of links."""

import pytest

from app.domain.refs import NumberFormat, normal_number, ticket_token, token_hash

SKIPPED = NumberFormat(prefix="A", skip=frozenset({4, 9, 42}))


@pytest.mark.parametrize(("before", "after"), [(None, 1), (3, 5), (8, 10), (41, 43), (998, 999), (999, 1000)])
def test_the_number_that_follows(before: int | None, after: int) -> None:
    assert SKIPPED.following(before) == after


def test_a_band_begins_where_it_says_and_two_skipped_ones_in_a_row_are_both_left_out() -> None:
    band = NumberFormat(prefix="P", first=500, skip=frozenset({500, 501}))
    assert band.following(None) == 502


@pytest.mark.parametrize(("serial", "printed"), [(1, "A001"), (42, "A042"), (999, "A999"), (1000, "A1000")])
def test_past_the_last_it_grows_and_repeats_nothing(serial: int, printed: str) -> None:
    assert NumberFormat(prefix="A").text(serial) == printed


@pytest.mark.parametrize("typed", ["A042", "a042", " Ａ０４２ ", "A-042", "a 042"])
def test_a_number_is_found_however_it_is_typed(typed: str) -> None:
    assert normal_number(typed) == "A042"


def test_a_links_secret_hangs_on_the_seed_and_on_the_key() -> None:
    token = ticket_token(b"key", "seed")
    assert token == ticket_token(b"key", "seed")
    assert len({token, ticket_token(b"another", "seed"), ticket_token(b"key", "another")}) == 3
    assert len(token) == 32
    assert token_hash(token) != token
