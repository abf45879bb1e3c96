"""The kiosk in the lobby: choose, confirm, take the number; and its staff mode behind a PIN.

Everything is plain pages and forms. What is chosen, the language and the modes stand in the address, so that
going back to the first screen forgets them all; nothing of one resident stays for the next.
"""

from app.web.kiosk import later, pages, reading, staff
from app.web.kiosk.door import blueprint

__all__ = ["blueprint", "later", "pages", "reading", "staff"]
