"""The hosted page of the stand-in: buttons for what a payer, a bank or a shop may do. It asks for no card."""

from collections.abc import Mapping
from html import escape
from typing import Any

from tests.standins.stripe_ledger import Ledger, Refusal

_PAGE = (
    "<!doctype html><html lang=ja><head><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    "<title>決済の見本</title><style>body{{font:18px/1.7 sans-serif;max-width:34em;margin:0 auto;padding:16px}}"
    "h1{{font-size:1.1rem;background:#ffd43d;padding:12px}}button{{display:block;width:100%;min-height:52px;"
    "margin:12px 0;font:inherit;font-weight:700}}b.sum{{font-size:2rem}}table{{border-collapse:collapse}}"
    "td,th{{border:1px solid #999;padding:4px 12px;text-align:left}}</style></head><body>"
    "<h1>これは見本です。本物のStripeではありません。お金は動きません。</h1>{body}</body></html>"
)
_ACTS = {
    "card": "カードで支払う(VISA 4242)",
    "paypay": "PayPayで支払う",
    "konbini": "コンビニの払込番号をもらう",
    "decline": "カードが断られる",
    "back": "やめて市のページにもどる",
}


def serve(handler: Any, ledger: Ledger, method: str, path: str, given: Mapping[str, Any]) -> None:
    """Answer a person: the list of sessions at ``/``, one session at ``/c/pay/<id>``."""
    try:
        if path.startswith("/c/pay/"):
            _session(handler, ledger, method, path.rsplit("/", 1)[1], str(given.get("act", "")))
        else:
            handler.reply(200, _PAGE.format(body=_list(ledger)))
    except Refusal as refused:
        body = f"<p>このページは もう使えません。{escape(str(refused))}</p>"
        handler.reply(refused.status, _PAGE.format(body=body))


def _session(handler: Any, ledger: Ledger, method: str, name: str, act: str) -> None:
    session = ledger.session(name)
    if method == "GET" or act == "decline":
        said = "<p role=alert><b>カードが断られました。</b>別の方法を選べます。</p>" if act == "decline" else ""
        handler.reply(200, _PAGE.format(body=said + _choices(session)))
        return
    if act in ("card", "paypay"):
        ledger.pay(name, act)
    elif act == "konbini":
        ledger.slip(name)
    elif act == "slip_paid":
        ledger.slip_paid(name)
    back = session["cancel_url"] if act == "back" else session["success_url"]
    handler.reply(303, "", location=back)


def _choices(session: Mapping[str, Any]) -> str:
    shown = [act for act in _ACTS if act in ("decline", "back") or act in session["methods"]]
    if session["status"] == "complete" and session["payment_status"] == "unpaid":
        shown, words = ["slip_paid"], {"slip_paid": "お店で払込番号の分を支払った"}
    elif session["status"] != "open":
        raise Refusal("session_closed", session["status"])
    else:
        words = _ACTS
    buttons = "".join(f"<button name=act value={act}>{words[act]}</button>" for act in shown)
    return (
        f"<p>{escape(session['name'])}<br><b class=sum>¥{session['amount_total']:,}</b></p>"
        f"<form method=post>{buttons}</form>"
    )


def _list(ledger: Ledger) -> str:
    rows = "".join(
        f"<tr><td><a href='/c/pay/{each['id']}'>{each['id']}</a><td>¥{each['amount_total']:,}<td>{each['status']}"
        f"<td>{each['payment_status']}<td>{escape(str(each['client_reference_id']))}"
        for each in reversed(list(ledger.sessions.values()))
    )
    taken = sum(each["amount"] - each["amount_refunded"] for each in ledger.charges.values())
    return f"<p>帳簿: ¥{taken:,}</p><table><tr><th>id<th>金額<th>状態<th>入金<th>受付番号</tr>{rows}</table>"
