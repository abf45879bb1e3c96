"""A short kill -9 campaign on each database; the long one is ``make faults``."""

import pytest

from tests.faults import kill


@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_nothing_acknowledged_is_lost(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = (
        f"sqlite:///{tmp_path_factory.mktemp('kill') / 'kill.db'}"
        if kind == "sqlite"
        else request.getfixturevalue("fresh_empty_postgres")
    )
    found = kill.run(url, kills=3, seed=7)
    assert kill.clean(found), found
    assert found["acknowledged"] > 50
