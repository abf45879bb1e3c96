"""Bookings for staff: a day's list, finding a person, booking for a caller, places, a whole day moved."""

from app.web.staff_bookings import acts, caller, lists, places
from app.web.staff_bookings.frame import blueprint

__all__ = ["acts", "blueprint", "caller", "lists", "places"]
