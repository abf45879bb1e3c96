"""What exemptions, refunds and alarms of money are called."""

from app.domain.payment import Method

EXEMPTIONS = {
    "public_assistance": "生活保護を受けている方",
    "disaster": "罹災・災害",
    "law": "法令・条例の定め(年金、児童扶養手当など)",
    "official": "公用",
    "reissue": "市の誤りによる出し直し",
}
REASONS = {
    "not_issued": "お出しできなかった",
    "wrong_fee": "金額の誤り",
    "exempt": "免除になった",
    "withdrawn": "取りやめ",
    "surplus": "支払いの重なり・取り消しのあとの支払い",
    "elsewhere": "決済会社の画面で返金",
}
METHODS = {Method.ONLINE: "オンライン", Method.CASH: "現金", Method.TERMINAL: "カード・電子マネー(窓口)"}
ALARMS = {
    "amount_mismatch": "決済会社の金額が、請求と違います。状態は変えていません。",
    "key_mismatch": "決済会社の記録が、別の支払いのものです。状態は変えていません。",
    "dispute": "カードの持ち主が支払いに異議を出しました。決済会社の画面で答えてください。",
    "refunded_elsewhere": "決済会社の画面で一部が返金されました。内訳を確かめてください。",
}
# The head of the journal for the accounting system; Japanese, as the system's own.
COLUMNS = ("業務日", "区分", "受付番号", "時刻", "手数料", "単価", "数量", "金額", "方法", "レシート番号", "決済番号")
