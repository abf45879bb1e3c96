"""Use cases: functions (session, *, …, at) -> value; they never commit and never see Flask."""
