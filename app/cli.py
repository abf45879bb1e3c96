"""``madoguchi`` on the command line: one clear sentence and a non-zero exit on bad input."""

import importlib

import click

from app.commands.errors import CommandGroup

# Name of the command → module and attribute; imported only when called, so that help stays quick.
COMMANDS = {
    "serve": "app.commands.serve:serve",
    "web": "app.commands.serve:web",
    "scheduler": "app.commands.serve:scheduler",
    "sender": "app.commands.serve:sender_alone",
    "init": "app.commands.setup:init",
    "doctor": "app.commands.setup:doctor",
    "city": "app.commands.city:city",
    "user": "app.commands.people:user",
    "token": "app.commands.people:token",
    "device": "app.commands.devices:device",
    "kiosk-pin": "app.commands.kiosk:kiosk_pin",
    "audit": "app.commands.audit:audit",
    "messages": "app.commands.messages:messages",
    "backup": "app.commands.backup:backup",
    "restore": "app.commands.backup:restore_",
    "jobs": "app.commands.jobs:jobs",
    "forecast": "app.commands.forecast:forecast",
    "history": "app.commands.history:history",
    "demo": "app.commands.replay:demo",
    "payments": "app.commands.payments:payments",
    "replay": "app.commands.replay:replay",
    "roster": "app.commands.roster:roster",
    "training": "app.commands.training:training",
    "waits": "app.commands.waits:waits",
}


class Lazy(CommandGroup):
    """Commands by name, loaded on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=Lazy)
def main() -> None:
    """窓口: queue and reservation management for municipal counters."""


if __name__ == "__main__":
    main()
