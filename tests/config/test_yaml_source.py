"""Files are read as written, and every value knows its line."""

from pathlib import Path

import pytest

from config.yaml_source import read


def write(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        path = directory / (name.replace("__", "/") + ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("08:30", "08:30"),
        ("8:30", "8:30"),
        ("no", "no"),
        ("on", "on"),
        ("2026-04-01", "2026-04-01"),
        ("010", "010"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("42", 42),
        ("-3", -3),
        ("1.5", 1.5),
        ("true", True),
        ("null", None),
        ("", None),
    ],
)
def test_a_value_is_what_it_looks_like(tmp_path: Path, text: str, value: object) -> None:
    assert read(write(tmp_path, a=f"value: {text}\n")).data == {"value": value}


def test_lists_of_one_name_in_several_files_follow_each_other_in_order_of_path(tmp_path: Path) -> None:
    source = read(write(tmp_path, b="items: [3]\n", a="items: [1, 2]\n", sub__c="items:\n- 4\n"))
    assert source.data == {"items": [1, 2, 3, 4]}
    assert source.place(("items", 3)).line == 2
    assert source.place(("items", 3)).file.endswith("c.yaml")


def test_files_of_one_office_directory_are_one_office(tmp_path: Path) -> None:
    source = read(write(tmp_path, offices__2_b__x="name: B\n", offices__1_a__x="name: A\n", offices__1_a__y="no: 1\n"))
    assert source.data == {"offices": [{"id": "a", "name": "A", "no": 1}, {"id": "b", "name": "B"}]}


def test_the_line_of_an_absent_value_is_its_parents(tmp_path: Path) -> None:
    source = read(write(tmp_path, a="first: 1\nthings:\n- id: x\n  fee: 3\n"))
    assert source.place(("things", 0, "fee")).line == 4
    assert source.place(("things", 0, "name")).line == 3
    assert str(source.problem(("things", 0, "name"), "wanted")).endswith("a.yaml:3: things[x].name: wanted")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\na: 2\n", 2, "written twice"),
        ("a:\n  b: 1\n  c: 1\n  b: 2\n", 4, "written twice"),
        ("a: [1\nb: 2\n", 2, "expected ',' or ']'"),
        ("- 1\n", 1, "mapping"),
        ("# nothing\n", 1, "mapping"),
        ("a: *nowhere\n", 1, "alias"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    (problem,) = read(write(tmp_path, bad=text)).problems
    assert problem.file.endswith("bad.yaml")
    assert problem.line == line
    assert message in problem.message


def test_a_value_written_in_two_files_is_told(tmp_path: Path) -> None:
    (problem,) = read(write(tmp_path, a="x: 1\n", b="y: 1\nx: 2\n")).problems
    assert (problem.line, problem.field, problem.message) == (2, "x", "written elsewhere already")


def test_an_empty_directory_and_a_file_that_is_no_text_are_told(tmp_path: Path) -> None:
    (problem,) = read(tmp_path).problems
    assert "no .yaml file" in problem.message
    (tmp_path / "a.yaml").write_bytes(b"a: \xff\xfe\n")
    (problem,) = read(tmp_path).problems
    assert "UTF-8" in problem.message
