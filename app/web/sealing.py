"""The keys of what people tell (app/db/sealed.py), made once for the process."""

from flask import current_app

from app.db.sealed import Sealer


def sealer() -> Sealer:
    """Seals, opens and indexes with the installation's secret."""
    found = current_app.extensions.get("sealer")
    if not isinstance(found, Sealer):
        found = current_app.extensions["sealer"] = Sealer(str(current_app.config["SECRET_KEY"]).encode())
    return found
