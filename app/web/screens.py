"""Every blueprint of a screen, one line each."""

from flask import Blueprint, Flask

from app.web import formats, resident

BLUEPRINTS: list[Blueprint] = [resident.blueprint]


def install(app: Flask) -> None:
    """Mount the screens."""
    formats.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
