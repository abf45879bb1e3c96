"""The words of the screen of messages: occasions, channels, states, why a message failed, what is wrong with a text."""

from app.domain.delivery import Channel, Occasion, State

OCCASIONS = {
    Occasion.BOOKED: "予約できました", Occasion.MOVED: "予約の時刻が変わりました",
    Occasion.CANCELLED: "予約の取消(庁舎から)", Occasion.REMINDER_DAY: "前日のお知らせ",
    Occasion.REMINDER_HOURS: "2時間前のお知らせ", Occasion.SOON: "もうすぐ順番", Occasion.CALLED: "順番です",
    Occasion.READY: "証明書ができました", Occasion.MISSED: "不在になりました", Occasion.OFFER: "空きが出ました",
    Occasion.RECEIPT: "領収のお知らせ", Occasion.CODE: "確認の番号",
}  # fmt: skip
# When it leaves, under the name of a text.
WHEN = {
    Occasion.BOOKED: "予約したとき", Occasion.MOVED: "予約の時刻が変わったとき",
    Occasion.CANCELLED: "庁舎が予約を取り消したとき", Occasion.REMINDER_DAY: "予約の前の日",
    Occasion.REMINDER_HOURS: "予約の2時間前", Occasion.SOON: "えらばれた人数か時間になったとき",
    Occasion.CALLED: "窓口に呼ばれたとき", Occasion.READY: "証明書ができたとき",
    Occasion.MISSED: "呼ばれて、来なかったとき", Occasion.OFFER: "待っていた時刻に空きが出たとき",
    Occasion.RECEIPT: "手数料を受け取ったとき", Occasion.CODE: "その番号やアドレスを、はじめて使うとき",
}  # fmt: skip
CHANNELS = {Channel.SMS: "SMS", Channel.EMAIL: "メール", Channel.LINE: "LINE", Channel.PUSH: "端末の通知"}
STATES = {
    State.QUEUED: "送る前", State.CLAIMED: "確かめ中", State.SENT: "受け渡しずみ", State.DELIVERED: "届いた",
    State.FAILED: "届かなかった", State.UNKNOWN: "わからない",
}  # fmt: skip
REASONS = {
    "too_late": "時間が過ぎて送らなかった", "withdrawn": "用がなくなり取りやめた", "opted_out": "本人が停止した",
    "limit": "上限に達した", "quiet_hours": "夜間のため送らなかった", "no_contact": "連絡先を消した後",
    "no_connection": "事業者につながらない", "account": "事業者の契約・鍵の問題", "too_many": "事業者の混雑",
    "bad_number": "使われていない番号", "switched_off": "電源が切れている・圏外", "blocked": "相手が受け取らない設定",
    "landline": "固定電話", "filtered": "携帯会社が止めた", "carrier": "携帯会社の不具合", "bad_address": "宛先がない",
    "gone": "端末の通知が切られた", "never_arrived": "2回渡したが、事業者に記録がない",
    "no_receipt": "1日たっても受け取りの知らせがない", "provider_silent": "事業者に確かめられない",
    "sender_gone": "送る途中で止まった", "restored": "復元の前に送ったかもしれない", "country_closed": "送れない国",
}  # fmt: skip
FAULTS = {
    "text_empty": "本文を入れてください。",
    "place_missing": "{%(place)s} がありません。これがないと、何の知らせか伝わりません。",
    "place_unknown": "{%(place)s} は、ここでは使えません。", "brace_open": "{ と } が合っていません。",
    "text_too_long": "%(most)s文字までにしてください。",
    "text_bad_sign": "使えない文字が入っています。入れ直してください。",
}  # fmt: skip
