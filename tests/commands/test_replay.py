"""A recorded day played by the command itself: a server of its own, figures as one document, no rule broken."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.hall_server import SECRET, free_port

COMMAND = [sys.executable, "-m", "app.cli"]


def test_a_short_day_is_played_and_told_as_json(tmp_path: Path) -> None:
    at = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
    rows = [f"juminhyo,{(at + timedelta(minutes=place)).isoformat()}" for place in range(12)]
    day = tmp_path / "day.csv"
    day.write_text("\n".join(["service,issued_at", *rows]))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MADOGUCHI_")} | {
        "MADOGUCHI_VAR_DIR": str(tmp_path), "MADOGUCHI_PORT": str(free_port()), "MADOGUCHI_SECRET_KEY": SECRET,
    }  # fmt: skip
    subprocess.run([*COMMAND, "init", "--sample"], env=environment, check=True, capture_output=True)
    played = subprocess.run(
        [*COMMAND, "replay", str(day), "--office", "ward", "--speed", "3000", "--minutes", "3", "--json"],
        check=False, env=environment, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert played.returncode == 0, played.stderr
    told = json.loads(played.stdout)
    assert told["violations"] == []
    assert told["tickets"] == len(rows)
