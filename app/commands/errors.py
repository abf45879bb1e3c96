"""Refusals on the command line: one sentence on standard error, exit code 2."""

from typing import Any

import click

from app.domain.errors import DomainError
from app.web.sentences import SENTENCES
from config.settings import SettingsError


class CommandGroup(click.Group):
    """A group whose commands end with a sentence instead of a trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise click.ClickException(str(error)) from None
        except DomainError as error:
            values = " ".join(f"{name}={value}" for name, value in error.values.items())
            sentence = SENTENCES.get(error.reason, "")
            raise click.ClickException(f"{error.reason} {values} {sentence}".strip()) from None
