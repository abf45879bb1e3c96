"""Every setting, read once from the environment or from the file named by MADOGUCHI_ENV_FILE."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config import failpoints

_WEAK = {"secret", "changeme", "password", "madoguchi", "dev"}


class SettingsError(Exception):
    """The settings do not allow a start; the message is one clear sentence."""


class Settings(BaseSettings):
    """Frozen settings; refuses a missing or weak secret."""

    model_config = SettingsConfigDict(
        env_prefix="MADOGUCHI_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    database_url: str = ""
    """PostgreSQL (`postgresql://…`); without it one SQLite file in the var directory, for one web process."""
    redis_url: str = ""
    """Reserved; nothing reads it in this release. Web processes find each other's changes in the database."""
    host: str = "127.0.0.1"
    """The address the web process listens on."""
    port: int = Field(default=8000, ge=1, le=65535)
    """The port it listens on."""
    secret_key: str
    """At least 32 characters of chance: links of numbers, cookies, the audit chain. Keep a copy outside."""
    public_url: str = ""
    """The address residents use. With `https` the cookies are secure and `__Host-`."""
    var_dir: Path = Path("var")
    """Where the SQLite file and `secrets.env` live."""
    web_processes: int = Field(default=1, ge=1)
    """More than one needs PostgreSQL; sockets are then WebSocket only, and need no sticky sessions."""
    trusted_proxies: int = Field(default=0, ge=0)
    """How many proxies stand in front and may say who calls."""
    allowed_hosts: str = ""
    """Further Host headers that are answered, with commas; the public address is always."""
    stripe_api_key: str = ""
    """Online payment: the key of the account. Without it people pay at a counter."""
    stripe_webhook_secret: str = ""
    """Online payment: what signs the provider's messages."""
    stripe_api_base: str = ""
    """Online payment: another address of the provider, for tests."""
    twilio_account_sid: str = ""
    """SMS: the account."""
    twilio_auth_token: str = ""
    """SMS: its token."""
    twilio_from: str = ""
    """SMS: the number or name it comes from."""
    twilio_api_base: str = ""
    """SMS: another address of the provider, for tests."""
    smtp_url: str = ""
    """E-mail: `smtp://user:password@host:port`."""
    line_channel_secret: str = ""
    """LINE: what signs its messages."""
    line_channel_token: str = ""
    """LINE: the channel's token."""
    line_api_base: str = ""
    """LINE: another address, for tests."""
    message_console: bool = False
    """Development: channels without keys write to the log instead of being off."""

    @field_validator("secret_key")
    @classmethod
    def strong(cls, value: str) -> str:
        if len(value) < 32 or len(set(value)) < 10 or value.lower() in _WEAK:
            raise ValueError("MADOGUCHI_SECRET_KEY must be at least 32 characters of chance")
        return value

    @property
    def database(self) -> str:
        """SQLAlchemy URL; SQLite in the var directory unless one is given."""
        return self.database_url or f"sqlite:///{self.var_dir.resolve() / 'madoguchi.db'}"

    @property
    def address(self) -> str:
        """The public address without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def origins(self) -> list[str]:
        """Origins that may open a socket: the public address and, on loopback, its two names."""
        port = f":{self.port}"
        return sorted({self.address, f"http://127.0.0.1{port}", f"http://localhost{port}"})

    @property
    def hosts(self) -> list[str]:
        """Host headers that are answered."""
        named = [host.strip() for host in self.allowed_hosts.split(",") if host.strip()]
        return sorted({urlsplit(self.address).hostname or "", "127.0.0.1", "localhost", *named} - {""})


def load(**given: object) -> Settings:
    """Settings from the environment; raises SettingsError with one sentence."""
    file = os.environ.get("MADOGUCHI_ENV_FILE") or str(Path(os.environ.get("MADOGUCHI_VAR_DIR", "var")) / "secrets.env")
    try:
        settings = Settings(_env_file=file, **given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        field = "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"MADOGUCHI_{field}: {first['msg']}") from None
    if os.environ.get(failpoints.NAME) and settings.address.startswith("https"):
        raise SettingsError(f"{failpoints.NAME} is for tests; an installation with a public address refuses it")
    if settings.web_processes > 1 and settings.database.startswith("sqlite"):
        raise SettingsError("SQLite serves one web process; set MADOGUCHI_DATABASE_URL to PostgreSQL for more")
    return settings
