"""Many acts at once still make one chain without a gap or a fork."""

import threading
from datetime import UTC, datetime

from app.db.session import Database
from app.services import audit

KEY = audit.chain_key("kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac")
WRITERS, EACH = 6, 15


def test_writers_at_once_make_one_chain(database: Database) -> None:
    failed: list[Exception] = []

    def write(who: int) -> None:
        try:
            for turn in range(EACH):
                with database.transaction() as session:
                    audit.record(
                        session, municipality_id="aonami", actor=f"staff:{who}", action="looked",
                        subject=f"turn:{turn}", details={}, at=datetime.now(UTC), key=KEY,
                    )  # fmt: skip
        except Exception as error:  # told below, with its cause
            failed.append(error)

    threads = [threading.Thread(target=write, args=(who,)) for who in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with database.snapshot() as session:
        assert audit.head(session, "aonami").number == WRITERS * EACH
        assert audit.verify(session, "aonami", KEY) is None
