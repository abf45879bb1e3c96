"""The sentences of bookings' refusals (joined to the others in app/web/sentences.py)."""

from collections.abc import Mapping
from types import MappingProxyType

BOOKING_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "bad_phone": "電話番号を確かめてください。市外局番から入れてください。",
        "bad_name": "お名前は60文字までで入れてください。",
        "bad_notes": "ひとことは200文字までで入れてください。",
        "bad_party": "来る人の数を確かめてください。",
        "bad_range": "期間を確かめてください。",
        "not_bookable": "この手続きは予約できません。番号札をおとりください。",
        "slot_past": "その時間は過ぎました。ほかの時間を選んでください。",
        "slot_too_soon": "その時間は、もう予約できません。もっと後の時間を選んでください。",
        "slot_too_far": "その日は、まだ予約できません。",
        "slot_full": "その時間は、たったいま満員になりました。ほかの時間を選んでください。",
        "slot_in_use": "その時間には予約があります。先に予約を移してください。",
        "too_many_holds": "おさえている時間が多すぎます。少し待って、もう一度お試しください。",
        "too_many_bookings": "同じ連絡先の予約が多すぎます。いまの予約を確かめてください。",
        "too_many_wishes": "同じ連絡先の申し込みが多すぎます。",
        "too_many_searches": "今日は検索の回数が多すぎます。責任者に確かめてください。",
        "booking_overlaps": "同じ連絡先で、重なる時間に予約があります。",
        "booking_incomplete": "予約に必要な項目を入れてください。",
        "booking_not_held": "この予約は、もう確かめられています。",
        "booking_not_confirmed": "この予約は、まだ確かめられていません。",
        "booking_arrived": "受付がすんでいるため、変えられません。",
        "booking_cancelled": "この予約は取り消されています。",
        "booking_withdrawn": (
            "この手続きは、いまは予約を受け付けていないため、日時を変えられません。いまの予約は そのまま使えます。"
        ),
        "booking_lapsed": "予約の時間を過ぎたため、変えられません。",
        "hold_expired": "時間が過ぎたため、おさえた時間は ほかの方も選べるようになりました。",
        "check_in_early": "受付は、予約の時間が近くなってからです。",
        "check_in_over": "予約の日は終わりました。",
        "check_in_other_day": "予約の日は、きょうではありません。",
        "contact_needed": "連絡先を1つ入れてください。",
        "reason_needed": "理由を選んでください。",
        "search_too_short": "もう少し長く、正しいとおりに入れてください。",
        "wish_ended": "この申し込みは終わっています。",
        "nothing_to_wait_for": "この日の その時間には、予約できる時間がありません。",
        "day_not_full": "この日は まだ空きがあります。時間を選んでください。",
    }
)
