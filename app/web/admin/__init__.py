"""Administration: staff, devices, kiosk, opening hours and the audit log. Plain forms; scripts only add keys."""

from importlib import import_module

from app.web.admin.frame import blueprint

for _room in ("start", "kiosk", "hours", "hours_forms", "drafts", "staff", "devices", "messages", "log"):
    import_module(f"{__name__}.{_room}")

__all__ = ["blueprint"]
