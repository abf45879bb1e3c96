"""A small campaign against the sender, and its negative control; ``make faults`` runs the long one."""

import pytest

from tests.faults import messages


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_no_message_is_doubled_and_none_is_lost(database: str) -> None:
    with messages.fresh(database) as url:
        figures = messages.campaign(url, messages=30, kills=5, seed=3, speed=20)
    assert figures["violations"] == 0, figures
    assert sum(figures["kills"].values()) == 5
    assert figures["ledger"] >= 28


@pytest.mark.parametrize("blind", [False, True])
def test_a_sender_that_does_not_ask_is_caught(blind: bool) -> None:
    """The same death between the provider's yes and our mark: doubled by the blind sender, by ours never."""
    with messages.fresh("sqlite") as url:
        figures = messages.campaign(url, messages=3, kills=1, seed=4, blind=blind, certain=True, speed=60)
    assert figures["by_promise"]["doubled"] == (1 if blind else 0), figures
