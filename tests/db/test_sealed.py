"""What is sealed opens in its own place only, and is found by its value without telling it."""

import pytest

from app.db.sealed import CannotOpen, Sealer

SECRET, FORMER = b"a secret of more than thirty-two characters", b"the secret that was in force before this one"


def test_a_value_comes_back_and_its_text_does_not_show_it() -> None:
    sealer = Sealer(SECRET)
    sealed = sealer.seal("山田花子", "booking.name:7f")
    assert sealer.open(sealed, "booking.name:7f") == "山田花子"
    assert sealed.isascii()
    assert "山田" not in sealed
    assert sealer.seal("山田花子", "booking.name:7f") != sealed


@pytest.mark.parametrize("place", ["booking.name:80", "booking.phone:7f", ""])
def test_a_value_moved_to_another_place_does_not_open(place: str) -> None:
    sealer = Sealer(SECRET)
    with pytest.raises(CannotOpen):
        sealer.open(sealer.seal("+819012345678", "booking.name:7f"), place)


@pytest.mark.parametrize("spoil", [lambda s: s[:-6] + "AAAAA=", lambda s: s[:20], lambda s: "", lambda s: s + "!",
                                   lambda s: "ffffffff." + s.partition(".")[2]])  # fmt: skip
def test_an_altered_text_is_one_refusal(spoil: object) -> None:
    sealer = Sealer(SECRET)
    assert callable(spoil)
    with pytest.raises(CannotOpen):
        sealer.open(spoil(sealer.seal("山田花子", "x")), "x")


def test_another_secret_neither_opens_nor_finds() -> None:
    sealed = Sealer(SECRET).seal("山田花子", "x")
    with pytest.raises(CannotOpen):
        Sealer(FORMER).open(sealed, "x")
    assert Sealer(SECRET).index("name", "山田花子") != Sealer(FORMER).index("name", "山田花子")


def test_after_a_change_of_the_secret_the_former_still_opens_and_finds_but_no_longer_seals() -> None:
    old, new = Sealer(FORMER), Sealer(SECRET, former=[FORMER])
    sealed = old.seal("山田花子", "x")
    assert new.open(sealed, "x") == "山田花子"
    assert new.stale(sealed)
    assert not new.stale(new.seal("山田花子", "x"))
    assert old.index("name", "山田花子") in new.indexes("name", "山田花子")
    assert new.index("name", "山田花子") != old.index("name", "山田花子")


def test_an_index_knows_its_kind_and_kinds_do_not_run_together() -> None:
    sealer = Sealer(SECRET)
    assert sealer.index("phone", "1") == sealer.index("phone", "1")
    assert len({sealer.index("phone", "1"), sealer.index("name", "1"), sealer.index("phone1", "")}) == 3


def test_a_nonce_is_never_the_same_twice() -> None:
    sealer = Sealer(SECRET)
    assert len({sealer.seal("a", "x") for _ in range(1000)}) == 1000
