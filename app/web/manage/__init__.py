"""Managers' screens: the plan of a day, and reports (screens/staff/NOTES.md)."""

from app.web.manage import dials, forecast, members, plan, report, roster, roster_paper, week, what_if
from app.web.manage.frame import blueprint

__all__ = ["blueprint", "dials", "forecast", "members", "plan", "report", "roster", "roster_paper", "week", "what_if"]
