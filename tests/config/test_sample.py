"""The sample city is whole: what a resident reads is there in eight languages, and figures are the sourced ones."""

import re
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from config.document import MunicipalityDocument
from config.document_words import LANGUAGES, bare_kanji, without_ruby
from config.municipality import SAMPLE, load

KANA = r"[ぁ-ゖァ-ヺ]"
KANJI = r"[\u3400-\u9fff]"
HANGUL = r"[가-힣]"


@pytest.fixture(scope="module")
def document() -> MunicipalityDocument:
    return load(SAMPLE)


def texts(part: BaseModel, at: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Every dictionary of words with all languages, and where it is."""
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, dict) and len(value) > 2:
            yield f"{at}.{name}", value
        elif isinstance(value, BaseModel):
            yield from texts(value, f"{at}.{name}")
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, BaseModel):
                    yield from texts(item, f"{at}.{name}[{index}]")


def test_the_city_has_what_the_issue_asks(document: MunicipalityDocument) -> None:
    ward, branch = document.offices
    assert (ward.id, branch.id) == ("ward", "branch")
    assert (len(ward.halls), len(branch.halls)) == (3, 1)
    assert (len(ward.counters), len(branch.counters)) == (24, 3)
    # Eleven groups of counters: what stands above them, in the ward office.
    assert len({counter.name["ja"] for counter in ward.counters}) == 11
    assert len(document.services) == 44
    assert len(document.life_events) == 8
    assert len(ward.kiosk) == 18


def test_every_service_has_all_eight_languages(document: MunicipalityDocument) -> None:
    for service in document.services:
        assert tuple(service.name) == LANGUAGES, service.id


def test_every_text_a_resident_reads_has_all_eight_languages(document: MunicipalityDocument) -> None:
    found = list(texts(document))
    assert len(found) > 250
    assert {at for at, words in found if set(words) != set(LANGUAGES)} == set()


def test_each_language_is_written_in_its_own_letters(document: MunicipalityDocument) -> None:
    foreign = {"en": f"{KANA}|{KANJI}|{HANGUL}", "vi": f"{KANA}|{KANJI}|{HANGUL}", "pt": f"{KANA}|{KANJI}|{HANGUL}"}
    foreign |= {"ko": f"{KANA}|{KANJI}", "zh_Hans": f"{KANA}|{HANGUL}", "zh_Hant": f"{KANA}|{HANGUL}"}
    wrong = [
        (at, language, words[language])
        for at, words in texts(document)
        for language, letters in foreign.items()
        if re.search(letters, words[language])
    ]
    assert wrong == []


def test_simplified_and_traditional_chinese_are_not_mixed(document: MunicipalityDocument) -> None:
    simplified = set("证书国户记变结个编码请养护险缴费询儿资确认类办预约导残领换层厅")
    traditional = set("證書國戶記變結個編碼請養護險繳費詢兒資確認類辦預約導殘領換層廳")
    for at, words in texts(document):
        assert not (simplified - traditional) & set(words["zh_Hant"]), (at, words["zh_Hant"])
        assert not (traditional - simplified) & set(words["zh_Hans"]), (at, words["zh_Hans"])


def test_every_kanji_of_easy_japanese_has_its_reading(document: MunicipalityDocument) -> None:
    for at, words in texts(document):
        assert bare_kanji(words["ja_Hira"]) == "", at
        assert without_ruby(words["ja_Hira"]), at


def test_national_fees_are_the_national_ones(document: MunicipalityDocument) -> None:
    fees = {service.id: service.fee for service in document.services if service.fee.basis == "order"}
    assert {name: fee.yen for name, fee in fees.items()} == {"koseki_cert": 450, "joseki_cert": 750, "juri_cert": 350}
    assert all(service.fee.yen == 300 for service in document.services if service.id in ("juminhyo", "inkan_cert"))


def test_what_must_not_be_read_by_others_is_marked(document: MunicipalityDocument) -> None:
    private = {service.id for service in document.services if service.privacy == "high"}
    assert {"divorce", "tax_consult", "fukushi_consult", "kokuho_pay", "jido_fuyo", "shogai_techo"} <= private
    for office in document.offices:
        for category in office.categories:
            if private & set(category.services):
                assert category.neutral is not None


def test_demonstration_staff_hold_every_role_and_no_password(document: MunicipalityDocument) -> None:
    roles = {person.role for person in document.staff}
    assert roles == {"clerk", "floor-lead", "department-admin", "city-admin", "auditor"}
    assert "password" not in (SAMPLE / "staff.yaml").read_text(encoding="utf-8").replace("No passwords", "")


def test_each_category_can_be_served_by_a_profile_and_chosen_at_the_kiosk(document: MunicipalityDocument) -> None:
    for office in document.offices:
        served = {line.category for profile in office.profiles for line in profile.lines if line.after is None}
        assert served == {category.id for category in office.categories}
        chosen = {purpose.category for purpose in office.kiosk}
        assert {category.id for category in office.categories} - chosen <= {"bereavement", "cashier"}
