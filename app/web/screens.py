"""Every blueprint of a screen, one line each."""

from flask import Blueprint, Flask

from app.web import (
    about,
    admin,
    booking,
    congestion,
    desk,
    feedback,
    formats,
    guide,
    kiosk,
    lead,
    manage,
    money,
    notify,
    pairing,
    pay,
    resident,
    sign_in,
    staff_bookings,
    staff_frame,
    staff_second_factor,
)

BLUEPRINTS: list[Blueprint] = [
    resident.blueprint,
    about.blueprint,
    guide.blueprint,
    booking.blueprint,
    staff_bookings.blueprint,
    pay.blueprint,
    notify.blueprint,
    feedback.blueprint,
    sign_in.blueprint,
    staff_second_factor.blueprint,
    desk.blueprint,
    lead.blueprint,
    manage.blueprint,
    money.blueprint,
    congestion.blueprint,
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
