"""Sentences for codes that only staff meet: wanted in Japanese and English."""

from collections.abc import Mapping
from types import MappingProxyType

STAFF_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "address_not_allowed": "この場所からはサインインできません。庁内の端末でお試しください。",
        "confirm_not_needed": "この番号に、来庁の確認は要りません。",
        "people_in_withdrawn_line": "なくなる列に、いま人がいます。ほかの列に移してから、もう一度お試しください。",
        "bookings_outside_hours": "新しい時間の外に予約があります。下の件数を確かめ、印を付けてから公開してください。",
        "second_factor_required": "はじめに、2段階の確認を設定してください。",
        "second_factor_wrong": "コードが違うか、もう使われています。次のコードが出てから、もう一度入れてください。",
        "second_factor_on": "2段階の確認は、もう設定してあります。",
        "second_factor_gone": "2段階の確認の設定が、別の画面で変わりました。はじめからお試しください。",
        "second_factor_by_operator": "自分と全体管理者の分は、ここでは外せません。機械の担当に頼んでください。",
        "sign_in_over": "時間がたったため、はじめからサインインしてください。",
    }
)
