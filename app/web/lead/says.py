"""An alert in words: what is the matter, what to do, and the form that does it."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from app.domain.advice import Advice, Deed
from app.domain.alerts import Alert, Code, Severity
from app.domain.roles import Function, Role, may
from app.web.formats import local_short
from app.web.lead.ahead import Effect
from app.web.lead.view import Screen
from app.web.locale import pick, plain, t

MARKS = {Severity.URGENT: ("crowd", "▲"), Severity.SOON: ("busy", "△"), Severity.NOTE: ("off", "•")}
MOST_NUMBERS = 6
_CALLS = frozenset({Deed.CALL_NEXT, Deed.RECALL, Deed.MISS})
_OPENS = frozenset({Deed.OPEN, Deed.LEND, Deed.RESUME})


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A card. ``facts``: what is the matter; ``do``: the headline; ``note``: what else to know.

    ``label`` and ``fields``: the button and its form. ``apart``: "seen" is a button of its own beside it.
    """

    alert: Alert
    level: str
    sign: str
    facts: Markup
    do: Markup
    note: Markup
    label: Markup
    fields: Mapping[str, str]
    apart: bool


def card(screen: Screen, alert: Alert, role: Role) -> Said:
    """An alert as this role reads it; its deed only where the role may do it, else "seen"."""
    level, sign = MARKS[alert.severity]
    facts, do, note = _WORDS[alert.code](screen, alert)
    needs = Function.CALL if alert.advice and alert.advice.deed in _CALLS else Function.ASSIGN_COUNTERS
    button = _button(screen, alert.advice) if alert.advice and may(role, needs) else None
    going = t("行きます") if alert.code is Code.HELP else t("見た")
    label, fields = button or (going, seen_fields(alert))
    if button is not None and alert.key in screen.effects and alert.category:
        fields = dict(fields) | advised(alert.category, screen.effects[alert.key])
    return Said(
        alert=alert, level=level, sign=sign, facts=facts, do=do, note=note, label=label, fields=fields,
        apart=button is not None,
    )  # fmt: skip


def advised(category: str, effect: Effect) -> dict[str, str]:
    """What was told of a proposal, sent with its act so that what came of it can be shown."""
    figures = ("" if effect.now is None else effect.now, effect.then, effect.low, effect.high)
    return {"advised": category, "told": ",".join(map(str, figures)), "begins": effect.begins.isoformat()}


def seen_fields(alert: Alert) -> dict[str, str]:
    """The form that says somebody takes care of an alert."""
    return {"action": "seen", "alert": alert.key}


def topic(screen: Screen, alert: Alert) -> Markup:
    """What an alert is about, in a few words."""
    if alert.category:
        return pick(screen.categories[alert.category].name)
    numbers = escape("・".join(_numbers(screen, alert)))
    return t("%(n)s番窓口", n=_at(screen, alert)) + Markup(" ") + numbers if alert.counter else numbers


def expectation(counter: Mapping[str, object]) -> str:
    """The counter as the screen showed it; an act on one that has changed since is refused."""
    return f"{counter['state']}@{counter['since'] or ''}"


def _at(screen: Screen, alert: Alert) -> str:
    return str(screen.counters[alert.counter or ""]["number"])


def _who(screen: Screen, alert: Alert) -> str:
    return str(screen.counters[alert.counter or ""]["staff"])


def _numbers(screen: Screen, alert: Alert) -> list[str]:
    return [str(screen.steps[step]["number"]) for step in alert.steps]


def _line(screen: Screen, alert: Alert) -> tuple[Markup, Markup, Markup]:
    values = alert.values
    if alert.code is Code.RISING:
        facts = t(
            "%(line)s %(n)s人・このままだと2時間のうちに最長%(minutes)s分(目標%(target)s分)", n=values["waiting"],
            line=plain(pick(screen.categories[alert.category or ""].name)), minutes=values["minutes"],
            target=values["target"],
        )  # fmt: skip
        return facts, *_with_effect(screen, alert)
    facts = t(
        "%(line)s %(n)s人・最長%(minutes)s分(目標%(target)s分)", n=values["waiting"], minutes=values["minutes"],
        line=plain(pick(screen.categories[alert.category or ""].name)), target=values["target"],
    )  # fmt: skip
    if alert.code is Code.NO_COUNTER:
        facts += Markup(" ") + t("呼べる窓口がありません。")
    return facts, *_with_effect(screen, alert)


def _with_effect(screen: Screen, alert: Alert) -> tuple[Markup, Markup]:
    """What to do, and what that does to the longest wait of the next two hours."""
    do, note = _other_counter(screen, alert.advice)
    effect = screen.effects.get(alert.key)
    if effect is None:
        return do, note
    values = {"time": local_short(effect.begins), "then": effect.then, "low": effect.low, "high": effect.high}
    gain = (
        t("%(time)sから、いちばん長い待ちは%(then)s分(10回に8回は%(low)s〜%(high)s分)。", **values)
        if effect.now is None
        else t("%(time)sから、いちばん長い待ち %(now)s→%(then)s分(10回に8回は%(low)s〜%(high)s分)。",
               now=effect.now, **values)
    )  # fmt: skip
    return do, Markup("<b>") + gain + Markup("</b> ") + note


def _other_counter(screen: Screen, advice: Advice | None) -> tuple[Markup, Markup]:
    if advice is None or advice.counter is None:
        return t("開けられる窓口がありません"), t(
            "受け持ちを組めるのは、いま対応中の窓口だけです。各係に応援をたずねてください。"
        )
    counter, profile = screen.counters[advice.counter], screen.profiles.get(advice.profile or "")
    serves = plain(pick(profile.name)) if profile else "–"
    if advice.deed is Deed.LEND:
        return (
            t("%(n)s番窓口の手を借りる", n=counter["number"]),
            t("%(name)sさんの列には、いま待つ人がいません。受け持ちを「%(profile)s」に変えます。",
              name=counter["staff"], profile=serves)
            if counter["staff"]
            else t("この窓口の列には、いま待つ人がいません。受け持ちを「%(profile)s」に変えます。", profile=serves),
        )  # fmt: skip
    return (
        t("%(n)s番窓口を開ける", n=counter["number"]),
        t("受け持ち: %(profile)s。入る職員を決めてから。", profile=serves),
    )


def _idle(screen: Screen, alert: Alert) -> tuple[Markup, Markup, Markup]:
    number = alert.advice.number if alert.advice else ""
    return (
        t("%(n)s番窓口 %(name)s 空いて%(minutes)s分・受け持つ列に待つ人がいます", n=_at(screen, alert),
          name=_who(screen, alert), minutes=alert.values["minutes"]),
        t("次の %(number)s を %(n)s番窓口に呼ぶ", number=number, n=_at(screen, alert)),
        t("職員が席にいることを確かめてから呼んでください。"),
    )  # fmt: skip


def _not_come(screen: Screen, alert: Alert) -> tuple[Markup, Markup, Markup]:
    number = _numbers(screen, alert)[0]
    gone = alert.advice is not None and alert.advice.deed is Deed.MISS
    return (
        t("%(n)s番窓口 %(number)s 呼び出して%(minutes)s分・%(calls)s回", n=_at(screen, alert), number=number,
          minutes=alert.values["minutes"], calls=alert.values["calls"]),
        t("%(number)s を不在にする", number=number) if gone else t("%(number)s をもう一度呼ぶ", number=number),
        t("戻られたら、元の順番の近くへ入ります。") if gone else t("近くで迷っていないか、見てください。"),
    )  # fmt: skip


def _help(screen: Screen, alert: Alert) -> tuple[Markup, Markup, Markup]:
    return (
        t("%(n)s番窓口 %(name)s 応援を呼んで%(minutes)s分", n=_at(screen, alert), name=_who(screen, alert),
          minutes=alert.values["minutes"]),
        t("%(n)s番窓口へ応援に行く", n=_at(screen, alert)),
        t("行く人が決まったら押してください。済んだら、窓口の一覧から「応援を済みにする」を押します。"),
    )  # fmt: skip


def _overdue(screen: Screen, alert: Alert) -> tuple[Markup, Markup, Markup]:
    return (
        t("%(n)s番窓口 %(name)s 戻る時刻を%(minutes)s分過ぎています", n=_at(screen, alert), name=_who(screen, alert),
          minutes=alert.values["minutes"]),
        t("%(n)s番窓口を開く", n=_at(screen, alert)),
        t("表示板には「休止中」と出ています。職員が戻っていることを確かめてください。"),
    )  # fmt: skip


def _long(screen: Screen, alert: Alert) -> tuple[Markup, Markup, Markup]:
    return (
        t("%(n)s番窓口 %(number)s 対応%(minutes)s分(目安%(usual)s分)", n=_at(screen, alert),
          number=_numbers(screen, alert)[0], minutes=alert.values["minutes"], usual=alert.values["usual"]),
        t("%(n)s番窓口の様子をたずねる", n=_at(screen, alert)),
        t("終わりが見えないときは、別の席への移動や応援を考えてください。"),
    )  # fmt: skip


def _away(screen: Screen, alert: Alert) -> tuple[Markup, Markup, Markup]:
    numbers = _numbers(screen, alert)
    shown = "・".join(numbers[:MOST_NUMBERS])
    if len(numbers) > MOST_NUMBERS:
        shown += str(t(" ほか%(n)s", n=len(numbers) - MOST_NUMBERS))
    parked = alert.code is Code.PARKED
    values = {"n": alert.values["people"], "minutes": alert.values["minutes"]}
    facts = t("保留 %(n)s人・最長%(minutes)s分", **values) if parked else t("不在 %(n)s人・最長%(minutes)s分", **values)
    return (
        facts,
        t("%(numbers)s をさがす", numbers=shown),
        t("記入台や待合を見てください。戻ったら、番号から「列に戻す」を押します。"),
    )


_WORDS = {
    Code.LATE: _line, Code.NO_COUNTER: _line, Code.RISING: _line, Code.IDLE: _idle, Code.NOT_COME: _not_come,
    Code.HELP: _help, Code.OVERDUE: _overdue, Code.LONG: _long, Code.PARKED: _away, Code.MISSED: _away,
}  # fmt: skip


_LABELS: Mapping[Deed, str] = {
    Deed.OPEN: "開ける", Deed.RESUME: "開ける", Deed.LEND: "変える", Deed.CALL_NEXT: "呼ぶ", Deed.RECALL: "再呼出",
    Deed.MISS: "不在",
}  # fmt: skip


def _button(screen: Screen, advice: Advice) -> tuple[Markup, dict[str, str]] | None:
    """The label of an advice and the fields of its form; nothing for what is done on foot."""
    if advice.deed not in _LABELS:
        return None
    fields = {"action": "open" if advice.deed in _OPENS else str(advice.deed)}
    fields |= {"step": str(advice.step)} if advice.step is not None else {}
    fields |= {"profile": advice.profile} if advice.profile else {}
    if advice.counter is not None:
        fields |= {"counter": advice.counter, "expect": expectation(screen.counters[advice.counter])}
    return t(_LABELS[advice.deed]), fields
