"""Three kills −9 of the real server under load on each database; fifty by ``make faults``."""

from tests.faults.kill import campaign


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(database_url: str) -> None:
    figures = campaign(database_url, kills=3, seed=20_260_401)
    print(figures)
    assert figures["first"] == {}
    assert figures["violations"] == 0
    # The kills met work: something was acknowledged, and something was in the air.
    assert figures["tickets_acked"] >= 20
    assert figures["calls_acked"] >= 5
    assert figures["unknown_tries"] >= 1
