"""Reports over HTTP as CSV (contract.md): for spreadsheets and for programs."""

from flask import Blueprint, Response, request

from app.domain.errors import NotFound
from app.domain.roles import Function
from app.services import access, reports
from app.web import security
from app.web.api.body import day_asked
from app.web.report_table import csv_text

blueprint = Blueprint("api_reports", __name__, url_prefix="/api/v1/offices/<office>/reports")

_DAY = {"type": "string", "description": "a day (2026-04-01); both ends included"}
QUERY = {"from": _DAY, "to": _DAY, "excel": {"type": "string", "description": "1: with a byte order mark"}}


@blueprint.get("/<report>.csv")
@security.policy(Function.READ_REPORTS)
def csv_of(office: str, report: str) -> Response:
    """One report of a span of days; ``excel=1``: with a byte order mark and headings in words."""
    since, until = day_asked("from"), day_asked("to")
    with security.database().snapshot() as session:
        access.require(session, security.caller(), Function.READ_REPORTS, office_id=office)
        if not reports.known(report):
            raise NotFound(what="report")
        rows = reports.read(session, office, report, since, until)
        names = reports.names(session, office)
    text = csv_text(report, rows, names, excel=request.args.get("excel") == "1")
    name = f"{office}-{report}-{since.isoformat()}-{until.isoformat()}.csv"
    response = Response(text, mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
