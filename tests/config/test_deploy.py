"""What an operator copies is true: settings that exist, commands that exist, no secret of its own."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from app.cli import COMMANDS
from config.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "config" / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
KNOWN = {f"MADOGUCHI_{name.upper()}" for name in Settings.model_fields}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
EXAMPLE = dict(
    line.split("=", 1)
    for line in (DEPLOY / "madoguchi.env.example").read_text().splitlines()
    if re.match(r"[A-Z]", line)
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_setting_named_is_one(path: Path) -> None:
    assert set(re.findall(r"MADOGUCHI_[A-Z_]+[A-Z]", path.read_text())) <= KNOWN


def test_the_example_alone_starts_nothing() -> None:
    """Whoever copies it must have put a secret in, and every value that is given can be read."""
    assert EXAMPLE["MADOGUCHI_SECRET_KEY"] == ""
    given = {name.removeprefix("MADOGUCHI_").lower(): value for name, value in EXAMPLE.items() if value}
    with pytest.raises(ValueError, match="32 characters"):
        Settings(**given | {"secret_key": ""})  # type: ignore[arg-type]
    assert Settings(**given | {"secret_key": "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"}).trusted_proxies == 1  # type: ignore[arg-type]


def test_a_secret_that_is_missing_stops_the_containers() -> None:
    settings = COMPOSE["x-madoguchi"]["environment"]
    for value in (
        settings["MADOGUCHI_SECRET_KEY"], settings["MADOGUCHI_PUBLIC_URL"], settings["MADOGUCHI_DATABASE_URL"],
        COMPOSE["services"]["db"]["environment"]["POSTGRES_PASSWORD"],
    ):  # fmt: skip
        assert re.search(r"\$\{[A-Z_]+:\?", value), value


def test_what_is_started_are_commands() -> None:
    started = [service["command"] for service in COMPOSE["services"].values() if "command" in service]
    for unit in UNITS:
        line = re.search(r"^ExecStart=(.*)$", unit.read_text(), re.M)
        assert line is not None, unit
        found = re.search(r"\.venv/bin/madoguchi (\S+)", line[1])
        assert found is not None, unit
        assert shlex.split(line[1])
        started.append([found[1]])
    assert {command[0] for command in started} == {"init", "web", "scheduler", "backup"} <= set(COMMANDS)


def test_nobody_passes_the_proxy() -> None:
    """Whoever reached the process itself could say who is calling."""
    assert [port.startswith("127.0.0.1:") for port in COMPOSE["services"]["web"]["ports"]] == [True]
    assert EXAMPLE["MADOGUCHI_HOST"] == "127.0.0.1"
    proxy = (DEPLOY / "nginx.conf").read_text()
    assert f"server 127.0.0.1:{EXAMPLE['MADOGUCHI_PORT']};" in proxy
    blocks = [block for block in re.split(r"\n    location ", proxy)[1:] if "proxy_set_header" in block]
    # A block that sets one header inherits none: each must name all of those the application believes.
    for block in blocks:
        assert all(name in block for name in ("Host ", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"))
    assert "proxy_add_x_forwarded_for" not in proxy
    assert "Upgrade    $http_upgrade" in proxy
