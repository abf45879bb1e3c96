"""The words that lead.js says by itself; everything else comes drawn by the server."""

from app.web.locale import plain, t

_WORDS = {
    "staleSince": "%(time)s から止まっています",
    "staleText": "いまの様子と違うかもしれません。つながるまで、ここから操作はできません。5秒ごとに試しています。",
    "connected": "接続中",
    "disconnected": "つながりません",
    "asking": "送った操作の返事がありません。同じ操作を、二重にならないように送り直しています。",
    "notOnScreen": "いまは、この操作はできません。",
    "failed": "画面を新しくできませんでした。",
    "changed": "一覧が変わりました。もう一度たしかめてから押してください。",
    "keysOn": "1文字のキーの操作: オン",
    "keysOff": "1文字のキーの操作: オフ。F2と矢印、Enterで操作できます。",
}


def script() -> dict[str, str]:
    """Each word by name; {time} is filled by the script."""
    return {name: plain(t(text, time="{time}")) for name, text in _WORDS.items()}
