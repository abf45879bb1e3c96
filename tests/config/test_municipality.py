"""A broken document names file, line and field of everything that is wrong, all at once.

Each case changes one place of the sample: the file, the text there, and what it becomes.
"""

import shutil
from pathlib import Path

import pytest

from config.municipality import SAMPLE, DocumentError, load

Change = tuple[str, str, str]


def broken(tmp_path: Path, *changes: Change) -> tuple[Path, dict[str, int]]:
    """A copy of the sample with changes; and the line of each change, by file."""
    directory = tmp_path / "city"
    shutil.copytree(SAMPLE, directory)
    lines = {}
    for name, before, after in changes:
        path = directory / name
        text = path.read_text(encoding="utf-8")
        assert before in text, f"{before!r} is not in {name}"
        lines[name] = text[: text.index(before)].count("\n") + before[: len(before) - len(before.lstrip("\n"))].count(
            "\n"
        )
        path.write_text(text.replace(before, after, 1), encoding="utf-8")
    return directory, lines


def problems(directory: Path) -> list[tuple[str, int, str, str]]:
    with pytest.raises(DocumentError) as caught:
        load(directory)
    return [
        (Path(item.file).relative_to(directory).as_posix(), item.line, item.field, item.message)
        for item in caught.value.problems
    ]


CASES = [
    # (file, before, after, line counted from where `before` begins, field, part of the message)
    (
        "services/2_moving.yaml",
        "accept: 15, back: 20",
        "accept: 0, back: 20",
        0,
        "services[tennyu].minutes.accept",
        "greater than or equal to 1",
    ),
    (
        "services/1_certificates.yaml",
        "yen: 300, basis: local",
        "yen: -3, basis: local",
        0,
        "services[juminhyo].fee.yen",
        "greater",
    ),
    (
        "services/1_certificates.yaml",
        "yen: 300, basis: local",
        "yen: 300, basis: none",
        0,
        "services[juminhyo].fee",
        "basis",
    ),
    (
        "services/1_certificates.yaml",
        "yen: 300, basis: local",
        "yen: 三百, basis: local",
        0,
        "services[juminhyo].fee.yen",
        "integer",
    ),
    (
        "services/1_certificates.yaml",
        "phases: [accept, deliver]",
        "phases: [deliver]",
        -10,
        "services[juminhyo]",
        "phases",
    ),
    (
        "services/1_certificates.yaml",
        "- document: id_doc",
        "- document: id_dok",
        0,
        "services[juminhyo].documents[0].document",
        "unknown document id_dok",
    ),
    (
        "services/1_certificates.yaml",
        "when: proxy",
        "when: proxxy",
        0,
        "services[juminhyo].documents[1].when",
        "unknown condition",
    ),
    (
        "services/1_certificates.yaml",
        "sources: [T2,",
        "sources: [T99,",
        0,
        "services[juminhyo].sources[0]",
        "unknown source T99",
    ),
    (
        "services/1_certificates.yaml",
        "- id: juminhyo_joho",
        "- id: juminhyo",
        0,
        "services[juminhyo].id",
        "there twice",
    ),
    ("services/1_certificates.yaml", "basis: sourced", "basiss: sourced", 0, "services[juminhyo].basiss", "extra"),
    ("services/6_tax.yaml", 'from: "02-16"', 'from: "02-31"', 0, "services[tax_consult].season.from", "no day 02-31"),
    ("services/1_certificates.yaml", "    ko: 주민표 사본\n", "", -6, "services[juminhyo].name", "missing: ko"),
    (
        "services/1_certificates.yaml",
        "    ko: 주민표 사본",
        '    ko: " "',
        -6,
        "services[juminhyo].name",
        "ko is empty",
    ),
    (
        "services/1_certificates.yaml",
        "    ko: 주민표 사본",
        "    kr: 주민표 사본",
        -6,
        "services[juminhyo].name",
        "unknown language: kr",
    ),
    (
        "services/1_certificates.yaml",
        "《じゅうみんひょう》の コピー",
        "の コピー",
        -2,
        "services[juminhyo].name",
        "no reading",
    ),
    (
        "life/events.yaml",
        "service: tennyu",
        "service: tenyu",
        0,
        "life_events[move_in].steps[0].service",
        "unknown service",
    ),
    (
        "life/events.yaml",
        "question: mnc,",
        "question: mmc,",
        0,
        "life_events[move_in].steps[1].when.question",
        "unknown question",
    ),
    (
        "life/events.yaml",
        "answers: [yes]",
        "answers: [yess]",
        0,
        "life_events[move_in].steps[1].when.answers[0]",
        "unknown answer",
    ),
    ("phrases.yaml", "Number {number}, please", "Please", -3, "phrases[call].written", "same {…}"),
    ("phrases.yaml", "- id: absent", "- id: abscent", 0, "phrases[abscent].id", "unknown phrase"),
    (
        "phrases.yaml",
        '    ja: "まもなく順番です(あと{ahead}人)。窓口の近くでお待ちください。"\n',
        "",
        -1,
        "phrases[near].written",
        "ja is missing",
    ),
    (
        "services/1_certificates.yaml",
        "back: 5, deliver: 2",
        "back: 5, deliver: 0",
        -11,
        "services[juminhyo]",
        "minutes to deliver",
    ),
    (
        "staff.yaml",
        "section: {ja: 情報政策課, en: Information Policy}",
        "section: {ja: 情報政策課}",
        0,
        "staff[0].section",
        "missing: en",
    ),
    (
        "offices/1_ward/counters.yaml",
        "hall: tax",
        "hall: cellar",
        0,
        "offices[ward].counters[15].hall",
        "unknown hall cellar",
    ),
    ("offices/1_ward/hours.yaml", 'open: "08:30"', "open: 830", 0, "offices[ward].hours.rules[0].open", "08:30"),
    (
        "offices/1_ward/hours.yaml",
        '- {open: "08:30", close: "15:00", reception_close: "14:45"}',
        '- {open: "08:30", close: "15:00"}\n    - {open: "14:00", close: "16:00"}',
        -1,
        "offices[ward].hours.special_days[0].intervals",
        "must follow",
    ),
    (
        "offices/1_ward/kiosk_1.yaml",
        '  closes: "16:00"',
        '  opens: "17:00"\n  closes: "16:00"',
        -22,
        "offices[ward].kiosk[mnc_pickup]",
        "closes must be after opens",
    ),
    ("staff.yaml", "profile: certificates_help", "profile: certs", 0, "staff[3].profile", "unknown profile certs"),
    (
        "staff.yaml",
        "offices: [ward, branch]",
        "offices: [ward, brunch]",
        0,
        "staff[0].offices[1]",
        "unknown office brunch",
    ),
    ("staff.yaml", "role: clerk", "role: boss", 0, "staff[3].role", "input should be"),
    (
        "municipality.yaml",
        "timezone: Asia/Tokyo",
        "timezone: Asia/Seoul",
        0,
        "municipality.timezone",
        "input should be",
    ),
    (
        "municipality.yaml",
        "languages: [ja,",
        "languages: [tlh,",
        0,
        "municipality.languages[0]",
        "unknown language tlh",
    ),
    (
        "offices/1_ward/categories.yaml",
        "prefix: B",
        "prefix: A",
        0,
        "offices[ward].categories[moving].prefix",
        "prefix A is there twice",
    ),
    (
        "offices/1_ward/categories.yaml",
        "shape: square",
        "shape: star",
        0,
        "offices[ward].categories[moving].shape",
        "input should be",
    ),
    (
        "offices/1_ward/categories.yaml",
        "hue: purple",
        "hue: mauve",
        0,
        "offices[ward].categories[moving].hue",
        "input should be",
    ),
    (
        "offices/1_ward/categories.yaml",
        "hall: tax",
        "hall: attic",
        0,
        "offices[ward].categories[tax].hall",
        "unknown hall attic",
    ),
    (
        "offices/1_ward/categories.yaml",
        "services: [tennyu",
        "services: [juminhyo, tennyu",
        0,
        "offices[ward].categories[moving].services[0]",
        "in category certificates already",
    ),
    (
        "offices/1_ward/categories.yaml",
        "services: [tennyu",
        "services: [tenyu",
        0,
        "offices[ward].categories[moving].services[0]",
        "unknown service tenyu",
    ),
    (
        "offices/1_ward/categories.yaml",
        "allowance: 15, deliver",
        "allowence: 15, deliver",
        0,
        "offices[ward].categories[certificates].policy.allowence",
        "extra",
    ),
    (
        "offices/1_ward/categories.yaml",
        "allowance: 15, deliver",
        "allowance: -1, deliver",
        0,
        "offices[ward].categories[certificates].policy.allowance",
        "greater",
    ),
    (
        "offices/1_ward/counters.yaml",
        "- {no: 3,",
        "- {no: 2,",
        0,
        "offices[ward].counters[2].no",
        "counter 2 is there twice",
    ),
    (
        "offices/1_ward/counters.yaml",
        "profile: cashier",
        "profile: kashier",
        0,
        "offices[ward].counters[23].profile",
        "unknown profile kashier",
    ),
    (
        "offices/1_ward/profiles.yaml",
        "- {category: certificates}",
        "- {category: certs}",
        0,
        "offices[ward].profiles[certificates].lines[0].category",
        "unknown category certs",
    ),
    (
        "offices/1_ward/profiles.yaml",
        "- {category: certificates}",
        "- {category: certificates, after: 5}",
        -1,
        "offices[ward].profiles[certificates].lines",
        "primary",
    ),
    (
        "offices/1_ward/profiles.yaml",
        "- id: certificates_help",
        "- id: certificates",
        0,
        "offices[ward].profiles[certificates].id",
        "there twice",
    ),
    (
        "offices/1_ward/hours.yaml",
        'open: "08:30"',
        'open: "18:30"',
        0,
        "offices[ward].hours.rules[0]",
        "open < reception_close",
    ),
    ("offices/1_ward/hours.yaml", 'open: "08:30"', "open: 8:30", 0, "offices[ward].hours.rules[0].open", "08:30"),
    (
        "offices/1_ward/hours.yaml",
        "days: [mon, tue",
        "days: [mon, tues",
        0,
        "offices[ward].hours.rules[0].days[1]",
        "input should be",
    ),
    (
        "offices/1_ward/hours.yaml",
        'from: "12-29"',
        'from: "12-32"',
        0,
        "offices[ward].hours.closures[0].from",
        "pattern",
    ),
    (
        "offices/1_ward/hours.yaml",
        "date: 2027-02-13",
        "date: 2026-04-20",
        0,
        "offices[ward].hours.special_days[1].date",
        "there twice",
    ),
    (
        "offices/1_ward/hours.yaml",
        "date: 2027-02-13",
        "date: 2027-02-30",
        0,
        "offices[ward].hours.special_days[1].date",
        "date",
    ),
    (
        "offices/1_ward/hours.yaml",
        "    closed: true\n",
        "",
        -1,
        "offices[ward].hours.special_days[1]",
        "closed or has intervals",
    ),
    (
        "offices/1_ward/kiosk_1.yaml",
        "ja: 住民票の写し",
        "ja: 住民票の写しと記載事項証明",
        -3,
        "offices[ward].kiosk[juminhyo]",
        "at most 10 characters",
    ),
    (
        "offices/1_ward/kiosk_1.yaml",
        "ja: ほかの市町村から引っ越してきた",
        "ja: ほかの市町村からこの市へ引っ越してきた",
        -12,
        "offices[ward].kiosk[move_in]",
        "at most 16 characters",
    ),
    (
        "offices/1_ward/kiosk_1.yaml",
        "category: moving",
        "category: mowing",
        0,
        "offices[ward].kiosk[move_in].category",
        "unknown category mowing",
    ),
    (
        "offices/1_ward/kiosk_1.yaml",
        "services: [tennyu",
        "services: [juminhyo",
        0,
        "offices[ward].kiosk[move_in].services[0]",
        "not in category moving",
    ),
    (
        "offices/1_ward/notices.yaml",
        "hall: citizen",
        "hall: cellar",
        0,
        "offices[ward].notices[convenience].hall",
        "unknown hall cellar",
    ),
    (
        "offices/1_ward/notices.yaml",
        "level: news",
        "level: urgent",
        0,
        "offices[ward].notices[missed].level",
        "input should be",
    ),
    (
        "offices/1_ward/office.yaml",
        "skip_numbers: [4,",
        "skip_numbers: [four,",
        0,
        "offices[ward].skip_numbers[0]",
        "integer",
    ),
    ("offices/1_ward/office.yaml", "phone: 000-123-4567", "phone: ask", 0, "offices[ward].phone", "pattern"),
]


@pytest.mark.parametrize(
    ("name", "before", "after", "offset", "field", "message"), CASES, ids=[f"{case[4]}: {case[5]}" for case in CASES]
)
def test_each_mistake_is_told_with_file_line_and_field(
    tmp_path: Path, name: str, before: str, after: str, offset: int, field: str, message: str
) -> None:
    directory, lines = broken(tmp_path, (name, before, after))
    found = problems(directory)
    assert (name, field) in {(item[0], item[2]) for item in found}, found
    (told,) = [item for item in found if item[0] == name and item[2] == field]
    assert message in told[3]
    assert told[1] == lines[name] + 1 + offset


def test_a_sensitive_service_needs_a_neutral_name(tmp_path: Path) -> None:
    directory, _ = broken(
        tmp_path, ("services/1_certificates.yaml", "  booking: none\n", "  booking: none\n  privacy: high\n")
    )
    found = problems(directory)
    assert {item[2] for item in found} == {
        "offices[ward].categories[certificates]",
        "offices[branch].categories[certificates]",
    }
    assert all("juminhyo must not be named" in item[3] for item in found)


def test_a_category_without_counter_and_a_service_without_category_are_told(tmp_path: Path) -> None:
    counters = "offices/1_ward/counters.yaml"
    directory, _ = broken(
        tmp_path,
        (counters, "profile: cashier", "profile: tax"),
        ("offices/1_ward/categories.yaml", ", nursery,", ","),
        ("offices/1_ward/kiosk_2.yaml", "services: [nursery]", "services: [jido_teate]"),
    )
    assert [(item[0], item[2]) for item in problems(directory)] == [
        ("offices/1_ward/categories.yaml", "offices[ward].categories[cashier]"),
        ("services/7_children.yaml", "services[nursery].id"),
    ]


def test_all_mistakes_are_told_at_once_in_order(tmp_path: Path) -> None:
    directory, _ = broken(
        tmp_path,
        ("offices/1_ward/categories.yaml", "prefix: B", "prefix: A"),
        ("life/events.yaml", "service: tennyu", "service: tenyu"),
        ("offices/1_ward/profiles.yaml", "- {category: certificates}", "- {category: certs}"),
    )
    assert [item[0] for item in problems(directory)] == [
        "life/events.yaml",
        "offices/1_ward/categories.yaml",
        "offices/1_ward/profiles.yaml",
    ]


def test_the_message_of_the_error_is_one_line_a_problem(tmp_path: Path) -> None:
    directory, lines = broken(tmp_path, ("offices/1_ward/categories.yaml", "prefix: B", "prefix: A"))
    with pytest.raises(DocumentError) as caught:
        load(directory)
    path = directory / "offices/1_ward/categories.yaml"
    line = lines["offices/1_ward/categories.yaml"] + 1
    assert str(caught.value) == f"{path}:{line}: offices[ward].categories[moving].prefix: prefix A is there twice"


def test_a_file_that_cannot_be_read_hides_nothing_else_false(tmp_path: Path) -> None:
    directory, _lines = broken(tmp_path, ("staff.yaml", "staff:\n", "staff: [\n"))
    found = problems(directory)
    assert [item[0] for item in found] == ["staff.yaml"]


def test_a_phrase_that_lost_its_number_in_every_language_is_told(tmp_path: Path) -> None:
    directory = tmp_path / "city"
    shutil.copytree(SAMPLE, directory)
    path = directory / "phrases.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("{counter}", "3"), encoding="utf-8")
    assert {item[2] for item in problems(directory)} == {"phrases[call].written", "phrases[deliver].written"}
    assert all("must hold {counter}, {number}" in item[3] for item in problems(directory))


def test_an_empty_document_misses_everything(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("{}\n", encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load(tmp_path)
    assert {(item.file, item.field) for item in caught.value.problems} == {
        (str(tmp_path), "municipality"),
        (str(tmp_path), "services"),
        (str(tmp_path), "offices"),
    }


def test_how_staff_sign_in(tmp_path: Path) -> None:
    name = "municipality.yaml"
    wrong = (name, "second_factor: []\n    addresses: []", "second_factor: [mayor]\n    addresses: [10.20.0.1/16]")
    told = problems(broken(tmp_path, wrong)[0])
    assert [field for _, _, field, _ in told] == [
        "municipality.staff_access.second_factor[0]", "municipality.staff_access.addresses[0]",
    ]  # fmt: skip
    assert "not a network such as 10.20.0.0/16" in told[1][3]
