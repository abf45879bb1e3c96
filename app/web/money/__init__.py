"""The city's money on a screen: a day by fee, what moved, what waits for two persons, what does not fit; and a CSV."""

from app.web.money import alarms, refunds, screen
from app.web.money.frame import blueprint

__all__ = ["alarms", "blueprint", "refunds", "screen"]
