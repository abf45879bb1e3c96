"""Booking on the web: what for, which day, which time; hold, confirm, move, cancel, check in. Without a script too."""

from app.web.booking import choose, hold, manage, waiting
from app.web.booking.frame import blueprint

__all__ = ["blueprint", "choose", "hold", "manage", "waiting"]
