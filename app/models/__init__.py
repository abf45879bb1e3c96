"""Tables: columns, constraints and relationships, nothing else. Importing this knows them all."""

from app.models import (
    arrivals,
    booking,
    delivery,
    feedback,
    forecast,
    payment,
    people,
    place,
    publication,
    scheduling,
    staffing,
    ticket,
    visits,
)

__all__ = [
    "arrivals",
    "booking",
    "delivery",
    "feedback",
    "forecast",
    "payment",
    "people",
    "place",
    "publication",
    "scheduling",
    "staffing",
    "ticket",
    "visits",
]
