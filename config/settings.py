"""Every setting, read once from the environment or from the file named by MADOGUCHI_ENV_FILE."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_WEAK = {"secret", "changeme", "password", "madoguchi", "dev"}


class SettingsError(Exception):
    """The settings do not allow a start; the message is one clear sentence."""


class Settings(BaseSettings):
    """Frozen settings; refuses a missing or weak secret."""

    model_config = SettingsConfigDict(env_prefix="MADOGUCHI_", frozen=True, extra="ignore")

    database_url: str = ""
    redis_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    secret_key: str
    public_url: str = ""
    var_dir: Path = Path("var")
    web_processes: int = Field(default=1, ge=1)
    trusted_proxies: int = Field(default=0, ge=0)
    allowed_hosts: str = ""
    insecure_cookies: bool = True

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
    if settings.web_processes > 1 and settings.database.startswith("sqlite"):
        raise SettingsError("SQLite serves one web process; set MADOGUCHI_DATABASE_URL to PostgreSQL for more")
    return settings
