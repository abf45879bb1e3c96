"""Every blueprint of a screen, one line each."""

from flask import Blueprint, Flask

from app.web import admin, desk, formats, kiosk, lead, pairing, resident, sign_in, staff_frame

BLUEPRINTS: list[Blueprint] = [
    resident.blueprint,
    sign_in.blueprint,
    desk.blueprint,
    lead.blueprint,
    pairing.blueprint,
    admin.blueprint,
    kiosk.blueprint,
]


def install(app: Flask) -> None:
    """Mount the screens."""
    formats.install(app)
    staff_frame.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
