"""/metrics: figures for Prometheus, seen from the operator's side only; anybody else finds nothing there.

Labels are names of routes, statuses and ids of offices: nothing of a person, and none of it grows with use.
Requests are those of this process; what is read from the database is the same whichever process answers.
"""

import ipaddress
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from app.db.session import Database
from app.domain.errors import NotFound, Unauthenticated, Unavailable
from app.domain.roles import Function, may
from app.services import messages_report, operations, payment_alarms
from app.web import security

blueprint = Blueprint("metrics", __name__)
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


class Meter:
    """What one process has answered, and how long it took."""

    def __init__(self, database: Database) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(OfficeCollector(database))
        self.requests = Counter(
            "madoguchi_requests", "Requests answered, by route and status.", ["route", "status"],
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "madoguchi_request_seconds", "Seconds until an answer was ready, by route.", ["route"], buckets=_BUCKETS,
            registry=self.registry,
        )  # fmt: skip

        self.payment_hooks = Counter(
            "madoguchi_payment_hooks", "Webhooks of the payment provider, by what became of them.", ["outcome"],
            registry=self.registry,
        )  # fmt: skip

    def begin(self) -> None:
        """The first thing a request does."""
        g.begun = time.perf_counter()

    def end(self, response: Response) -> Response:
        """The last."""
        route = request.endpoint or "none"
        self.requests.labels(route, str(response.status_code)).inc()
        self.seconds.labels(route).observe(time.perf_counter() - g.get("begun", time.perf_counter()))
        return response


class OfficeCollector(Collector):
    """Read from the database when it is asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family for each figure; without a database only that it is away."""
        kind = "sqlite" if self._database.is_sqlite else "postgresql"
        up = GaugeMetricFamily("madoguchi_database_up", "1 while the database answers.", labels=["kind"])
        at = security.now()
        try:
            with self._database.snapshot() as session:
                offices, age = operations.offices(session, at=at), operations.lease_age(session, at=at)
                alarms = payment_alarms.open_counts(session)
                tries = operations.sign_in_tries(session, at=at)
                oldest, messages = messages_report.oldest(session, at=at), messages_report.open_counts(session)
        except Unavailable:
            up.add_metric([kind], 0)
            yield up
            return
        up.add_metric([kind], 1)
        yield up
        for name, text, figure in (
            ("waiting", "People (steps) waiting now.", "waiting"),
            ("oldest_wait_seconds", "Seconds of whoever waits longest.", "oldest_wait"),
            ("open_counters", "Counters that are open.", "open_counters"),
            ("seq", "Number of the last event.", "seq"),
        ):
            family = GaugeMetricFamily(f"madoguchi_{name}", text, labels=["office"])
            for each in offices:
                family.add_metric([each.office], getattr(each, figure))
            yield family
        alarming = GaugeMetricFamily(
            "madoguchi_payment_alarms", "Alarms of payments that nobody has looked into.", labels=["office"]
        )
        for each in offices:
            alarming.add_metric([each.office], alarms.get(each.office, 0))
        yield alarming
        yield GaugeMetricFamily(
            "madoguchi_message_oldest_seconds", "Since the oldest unsent message was due; alarm above 300.",
            value=oldest.total_seconds(),
        )  # fmt: skip
        states = GaugeMetricFamily("madoguchi_messages", "Messages, by state.", labels=["state"])
        for state, count in messages.items():
            states.add_metric([state], count)
        yield states
        yield GaugeMetricFamily(
            "madoguchi_sign_in_tries", "Tries of five minutes that did not end in a sign-in.", value=tries
        )
        if age is not None:
            yield GaugeMetricFamily(
                "madoguchi_scheduler_lease_age_seconds", "Since a scheduler last said that it leads.", value=age
            )


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _from_this_machine() -> bool:
    """A call from the loopback address that no proxy has passed on.

    Behind a proxy that is not declared (``trusted_proxies``) everybody seems to come from there, so that with a
    public address of its own only a declared one lets the loopback address count.
    """
    declared = current_app.config["SETTINGS"].trusted_proxies > 0
    own_address = _is_loopback(urlsplit(current_app.config["ADDRESS"]).hostname)
    passed_on = not declared and any(name in request.headers for name in _FORWARDED)
    return _is_loopback(request.remote_addr) and (declared or own_address) and not passed_on


def _by_an_operator() -> bool:
    try:
        who = security.principal() if security.by_bearer_header() else None
    except Unauthenticated:
        return False
    return who is not None and may(who.role, Function.SEE_METRICS)


@blueprint.get("/metrics")
@security.policy(Function.PUBLIC)
def show() -> Response:
    """The text Prometheus reads; 404 for whoever is not on the operator's side, as if it were not there."""
    if not (_by_an_operator() or _from_this_machine()):
        raise NotFound()
    meter: Meter = current_app.extensions["meter"]
    return Response(generate_latest(meter.registry), content_type=CONTENT_TYPE_LATEST)


def install(app: Flask, database: Database) -> None:
    """Count every request of the application, refused ones as well; before all other hooks."""
    meter = app.extensions["meter"] = Meter(database)
    app.before_request(meter.begin)
    app.after_request(meter.end)
    app.register_blueprint(blueprint)
