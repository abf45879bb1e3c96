"""Put the rooms together: one Flask application with its database, errors, security and blueprints."""

from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app.db.session import Database
from app.domain.roles import Function
from app.services.snapshots import Snapshots
from app.web import api, errors, health, locale, metrics, screens, security
from app.web.known_callers import KnownCallers
from config.settings import Settings
from displays import counter, live
from displays import routes as displays

HERE = Path(__file__).parent


def create_app(settings: Settings, database: Database | None = None) -> Flask:
    """The web application. ``database``: an open one (tests), else made from the settings."""
    app = Flask("app", root_path=str(HERE))
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=64 * 1024,
        MAX_FORM_PARTS=200,
        TRUSTED_HOSTS=settings.hosts,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.address.startswith("https"),
        SESSION_COOKIE_NAME="__Host-madoguchi" if settings.address.startswith("https") else "madoguchi",
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        ORIGINS=settings.origins,
        ADDRESS=settings.address,
        SETTINGS=settings,
    )
    app.url_map.merge_slashes = False
    kept = database or Database(settings.database)
    app.extensions["database"], app.extensions["snapshots"] = kept, Snapshots(kept)
    app.extensions["known_callers"] = KnownCallers(kept)
    metrics.install(app, kept)
    locale.install(app)
    errors.install(app)
    security.csrf.init_app(app)
    security.install(app)
    app.register_blueprint(health.blueprint)
    api.install(app)
    screens.install(app)
    app.register_blueprint(displays.blueprint)
    app.register_blueprint(counter.blueprint)
    app.view_functions["static"] = security.policy(Function.PUBLIC)(app.view_functions["static"])
    live.install(app)
    security.refuse_undeclared(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app
