"""Paying as a resident: the fees, the way to the provider and back, what came of it, the receipt. Works without JS."""

from app.web.pay import pages, receipt
from app.web.pay.frame import blueprint

__all__ = ["blueprint", "pages", "receipt"]
