"""Changes of a draft stand alone: any of them can be taken back, in any order."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.drafts import Change, Fault, applied, blocking, changes, inverse, names, part

CONTENT = {"order": ["a", "b"], "purpose.a.title.ja": "住民票", "purpose.b.title.ja": "転入", "purpose.b.hidden": True}

values = st.sampled_from((None, "x", "y", True, False))
contents = st.dictionaries(st.sampled_from("abcde"), values.filter(lambda value: value is not None))
edits = st.dictionaries(st.sampled_from("abcde"), values)


def test_a_draft_is_the_published_content_with_its_edits() -> None:
    draft = applied(
        CONTENT, {"purpose.a.title.ja": "住民票の写し", "purpose.b.hidden": None, "purpose.c.title.ja": "新"}
    )
    assert draft == {
        "order": ["a", "b"],
        "purpose.a.title.ja": "住民票の写し",
        "purpose.b.title.ja": "転入",
        "purpose.c.title.ja": "新",
    }


def test_an_edit_back_to_the_published_value_is_no_change() -> None:
    assert changes(CONTENT, {"purpose.a.title.ja": "住民票", "purpose.x": None}) == []
    assert changes(CONTENT, {"purpose.b.hidden": False}) == [Change(key="purpose.b.hidden", before=True, after=False)]


def test_names_and_parts() -> None:
    assert names(CONTENT, "purpose") == ["a", "b"]
    assert part(CONTENT, "purpose.b") == {"title.ja": "転入", "hidden": True}


def test_a_warning_does_not_block() -> None:
    fault, warning = Fault(key="a", code="x"), Fault(key="a", code="y", warning=True)
    assert blocking([fault, warning]) == [fault]


@given(contents, edits)
def test_taking_every_change_back_restores_what_was_published(
    published: dict[str, object], edit: dict[str, object]
) -> None:
    draft = applied(published, edit)
    undo = {change.key: inverse(change).after for change in changes(published, edit)}
    assert applied(draft, undo) == published


@given(contents, edits, st.sampled_from("abcde"))
def test_taking_one_change_back_leaves_the_others(
    published: dict[str, object], edit: dict[str, object], key: str
) -> None:
    rest = {name: value for name, value in edit.items() if name != key}
    without = applied(published, rest)
    assert without.get(key) == published.get(key)
    assert {name: value for name, value in applied(published, edit).items() if name != key} == {
        name: value for name, value in without.items() if name != key
    }
