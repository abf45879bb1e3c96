"""Some rounds without any provider; ``make faults`` runs the long ones."""

from typing import Any

import pytest

from tests.faults import providers_down
from tests.faults.payments import database_of


def test_numbers_need_no_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in providers_down.settings("", ""):
        monkeypatch.setenv(name, "")
    with database_of("sqlite") as url:
        figures: dict[str, Any] = providers_down.campaign(url, how="refuse", rounds=10)
    assert figures["share_good"] == 1, figures
    assert figures["messages"]["tries"] > 0, figures
