"""Every blueprint of a screen, one line each."""

from flask import Blueprint, Flask

BLUEPRINTS: list[Blueprint] = []


def install(app: Flask) -> None:
    """Mount the screens."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
