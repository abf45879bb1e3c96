"""/api/v1: what kiosks, boards and a city's scripts are written against (contract.md)."""

from flask import Flask

from app.web.api import (
    bookings,
    congestion,
    counters,
    desk,
    forecasts,
    hooks_messages,
    hooks_stripe,
    offices,
    openapi,
    payments,
    reports,
    slots,
    staffing,
    steps,
    tickets,
)

PARTS = (
    offices, tickets, slots, bookings, counters, desk, steps, reports, forecasts, staffing, congestion,
    payments, hooks_stripe, hooks_messages, openapi,
)  # fmt: skip


def install(app: Flask) -> None:
    """Mount the parts of the API."""
    for part in PARTS:
        app.register_blueprint(part.blueprint)
