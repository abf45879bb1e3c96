"""The sentences of the desk: what was done, what "undo" takes back, and the words its script needs."""

from markupsafe import Markup

from app.domain.ticket import Action
from app.web.locale import plain, t

# What was done to a number, said after the act ({n} is filled by the script, %(n)s here).
SAID = {
    "call-next": "%(n)s を呼びました。",
    "call": "%(n)s を呼びました。",
    "recall": "%(n)s をもう一度呼びました。",
    "uncall": "%(n)s の呼出をやめました。順番はそのままです。",
    "start": "%(n)s の対応をはじめました。",
    "return": "%(n)s を列に戻しました。順番はそのままです。",
    "finish": "%(n)s を完了しました。",
    "reopen": "%(n)s の完了を取り消しました。対応中です。",
    "miss": "%(n)s を不在にしました。",
    "miss-next": "不在にして、次の番号を呼びました。",
    "park": "%(n)s を保留にしました。",
    "rejoin": "%(n)s を列に戻しました。",
    "transfer": "%(n)s を転送しました。",
    "ready": "%(n)s を準備完了にしました。交付の順番に入りました。",
    "cancel": "%(n)s を取り消しました。",
    "confirm": "%(n)s の来庁を確認しました。列に入りました。",
    "undo": "元に戻しました。",
    "nobody": "待っているかたはいません。",
}
# The last act, named on the undo key.
LAST = {
    Action.CALL: "%(n)s の呼出",
    Action.START: "%(n)s の開始(列に戻す)",
    Action.FINISH: "%(n)s の完了",
    Action.MISS: "%(n)s の不在",
    Action.PARK: "%(n)s の保留",
    Action.TRANSFER: "%(n)s の転送",
}
DONE = {
    Action.FINISH: "%(n)s を完了しました。",
    Action.MISS: "%(n)s を不在にしました。戻られたら、元の順番の近くへ入ります。",
    Action.PARK: "%(n)s を保留にしました。",
    Action.TRANSFER: "%(n)s を転送しました。",
}
_SCRIPT = {
    "offlineSince": "%(time)s から つながりません",
    "offlineText": "この窓口の対応はつづけられます。ここから番号は呼べません。5秒ごとに試しています(%(n)s回目)。",
    "asking": "送った操作の返事がありません。同じ操作を、二重にならないように送り直しています。",
    "kept": "%(n)s の操作をこの端末に残しました。つながったら送ります。",
    "notOffline": "つながるまで、この操作はできません。二重に呼ばないためです。",
    "notOnScreen": "いまは、この操作はできません。",
    "failed": "画面を新しくできませんでした。",
    "connected": "接続中",
    "disconnected": "つながりません",
    "keysOn": "数字キーの操作: オン",
    "keysOff": "数字キーの操作: オフ。F2と矢印、Enterで操作できます。",
    "minutes": "%(n)s分",
    "tryNow": "いま試す",
    "record": "完了を記録する",
    "recordText": "この端末に残し、つながったら送ります",
    "unsent": "送信を待っています",
    "unsentText": "つながったら、この端末から送ります",
    "cut": "つながるのを待っています",
    "cutText": "つながるまで、番号は呼べません",
    "scanned": "読み取った番号をさがします。",
}


def said(action: str, number: str = "") -> Markup:
    """What was done, in one sentence."""
    return t(SAID[action], n=number)


def last(action: Action, number: str) -> Markup:
    """The act that "undo" would take back."""
    return t(LAST[action], n=number)


def done(action: Action, number: str) -> Markup:
    """The act as its notice tells it while it may be taken back."""
    return t(DONE[action], n=number)


def script() -> dict[str, object]:
    """The words of desk.js; {n} and {time} are filled there."""
    holes = {"n": "{n}", "time": "{time}"}
    return {
        "said": {name: plain(t(text, **holes)) for name, text in SAID.items()},
        **{name: plain(t(text, **holes)) for name, text in _SCRIPT.items()},
    }
