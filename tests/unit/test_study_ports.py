"""Files of questions: what one port writes it reads again without loss, and what will not do is told by its row."""

import io
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import genanki
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.study.anki_text import split_question, to_html, to_text
from services.study.bank import (
    Complaint,
    ImportRefused,
    Question,
    RawRow,
    Sheet,
    content_key,
    field_named,
    plain_text,
    read_question,
)
from services.study.importing import read_file, write_file
from services.study.ports_csv import tags_cell

SIGNS = st.sampled_from([*"\"',;\t&\\0[]①\u00a0😀"])
WORDS = st.sampled_from(["안전밸브의 작동 압력은?", "한글", "각", "a\nb", "\n\n", '""', "A.", "=1+1", "\\n"])
MARKUP = st.sampled_from(["<b>x</b>", "<br>", "<div>", "&lt;", "&amp;", "{{#tags}}", "{{question}}", "[sound:a.mp3]"])
PARTS = st.lists(SIGNS | WORDS | MARKUP | st.text(max_size=12), min_size=1, max_size=6)
TEXT = PARTS.map(lambda parts: plain_text("".join(parts)))
FILLED = TEXT.filter(bool)
LINE = FILLED.map(lambda text: " ".join(text.split())).filter(bool)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    choices = tuple(draw(st.lists(FILLED, min_size=2, max_size=5, unique=True)))
    in_round = draw(st.none() | st.integers(1, 60))
    return Question(
        draw(LINE),
        draw(FILLED),
        choices,
        draw(st.integers(1, len(choices))),
        draw(st.none() | FILLED),
        draw(st.none() | LINE),
        in_round,
        draw(st.none() | st.integers(1, 300)),
        tuple(draw(st.lists(LINE, max_size=3, unique=True))),
    )


def read(name: str, content: bytes, first_choice: int = 0) -> list[Question | list[Complaint]]:
    sheet = read_file(name, content)
    assert sheet.refused == []
    return [read_question(row, first_choice) for row in sheet.rows]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "json", "apkg"])
@settings(deadline=None, max_examples=60)
@given(bank=st.lists(questions(), max_size=4, unique_by=lambda each: each.key), topic=LINE)
def test_round_trip__loses_nothing(suffix: str, bank: list[Question], topic: str) -> None:
    name = f"a.{suffix}"
    written = write_file(name, bank, topic, 1_700_000_000.5)
    assert read(name, written) == bank


@given(TEXT)
def test_html__gives_back_what_was_written(text: str) -> None:
    assert to_text(to_html(text)) == text


@given(st.lists(LINE, max_size=4, unique=True))
def test_tags__come_back_from_one_cell(tags: list[str]) -> None:
    row = RawRow(1, {**GOOD, "tags": tags_cell(tags)})
    found = read_question(row)
    assert isinstance(found, Question)
    assert list(found.tags) == tags


# -- one row -----------------------------------------------------------------------------------------------------------

GOOD: dict[str, Any] = {
    "question": "작동 압력은?",
    "choice_1": "0.8",
    "choice_2": "1.2 MPa",
    "choice_3": "2.0",
    "answer": 2,
}


def question(**values: Any) -> Question:
    found = read_question(RawRow(1, GOOD | values))
    assert isinstance(found, Question), found
    return found


def complaints(**values: Any) -> list[tuple[str, str]]:
    found = read_question(RawRow(7, GOOD | values))
    assert isinstance(found, list), found
    assert {each.row for each in found} == {7}
    return [(each.field, each.why) for each in found]


@pytest.mark.parametrize(
    "said", [2, "2", " 2 ", "2.0", 2.0, "2번", "(2)", "2)", "②", "⑵", "２", "B", "b", "(b)", "B.", "Ｂ", "1.2 MPa"]
)
def test_answer__is_read_in_every_way_of_writing_it(said: Any) -> None:
    assert question(answer=said).correct == 2


@pytest.mark.parametrize("said", [0, 4, "4", "D", "④", "2.5", "1.2", True, "", None, "b or c", ["2"]])
def test_answer__that_is_no_choice_is_refused(said: Any) -> None:
    found = complaints(answer=said)
    assert [field for field, _ in found] == ["answer"]


def test_answer__that_is_a_number_means_the_place_also_among_numbers() -> None:
    assert question(choice_1="2", choice_2="1", choice_3="5", answer="1").correct == 1
    assert question(choice_1="2", choice_2="1", choice_3="50", answer="50").correct == 3


@pytest.mark.parametrize(("base", "said", "place"), [(0, 0, 1), (0, 2, 3), (1, 1, 1), (1, "3", 3)])
def test_correct__counts_from_the_base_that_is_said(base: int, said: Any, place: int) -> None:
    row = RawRow(1, {**GOOD, "answer": None, "correct": said})
    found = read_question(row, base)
    assert isinstance(found, Question)
    assert found.correct == place


@pytest.mark.parametrize(("base", "said"), [(0, 3), (1, 0), (0, -1), (0, True), (0, "B")])
def test_correct__outside_of_the_choices_is_refused(base: int, said: Any) -> None:
    found = read_question(RawRow(1, {**GOOD, "answer": "", "correct": said}), base)
    assert isinstance(found, list)
    assert [each.field for each in found] == ["correct"]


def test_row__is_told_everything_that_is_wrong_with_it_at_once() -> None:
    found = complaints(question=" ", answer="Z", round="first", explanation="e" * 20_001, tags="[1")
    assert [field for field, _ in found] == ["question", "answer", "explanation", "round", "tags"]
    assert all(why.endswith((".", "?")) for _, why in found)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"choice_2": "", "choice_3": ""}, "has 1, two to five are needed"),
        ({"choice_2": ""}, "leaves choice 2 empty before a later one"),
        ({"choice_3": "1.2 MPa"}, "says what is right twice"),
        ({"choice_3": "1.2 MPa", "answer": "1.2 MPa"}, "says what is right twice"),
        ({"choice_3": "x" * 2001}, "2,000 is the most"),
        ({"choices": "a, b"}, "is no list"),
        ({"choices": ["a", "b", "c", "d", "e", "f"]}, "has 6"),
        ({"choices": ["a", {"b": 1}]}, "write it as text"),
    ],
)
def test_choices__that_will_not_do_are_refused(values: dict[str, Any], why: str) -> None:
    (field, said), *more = complaints(**values)
    assert (field, more) == ("choices", [])
    assert why in said


def test_choices__that_are_wrong_may_say_the_same() -> None:
    assert question(choice_3="0.8").choices == ("0.8", "1.2 MPa", "0.8")


def test_number__is_at_most_three_hundred_in_a_round() -> None:
    assert question(number="301").exam_number == 301
    assert (question(round="제12회", number="300번").exam_round, question(round="1", number=300).exam_number) == (
        12,
        300,
    )
    assert complaints(round=1, number=301)[0][0] == "number"


def test_text__is_stored_in_one_form() -> None:
    found = question(question="\ufeff  각\r\n둘째\x00 줄 \ud800", explanation="  ", exam=" 소방\n기사 ")
    assert (found.text, found.explanation, found.exam_name) == ("각\n둘째 줄 �", None, "소방 기사")


def test_key__is_the_given_one_or_made_of_what_the_question_says() -> None:
    assert question(id=12).key == "12"
    assert question().key == question(explanation="x", tags="a", answer=1).key
    assert question().key == content_key("작동  압력은?", ["0.8", "1.2 MPa", "2.0"])
    assert question().key != question(choice_3="3.0").key
    assert complaints(id="k" * 201)[0][0] == "id"


HEADERS = {
    "question": ["문제", "Question", " text "],
    "choice_1": ["보기 1", "choice_1", "A", "①", "mc_answer1"],
    "choice_5": ["보기⑤", "Option 5", "e"],
    "choice_6": ["choice_6"],
    "answer": ["정답", "Correct Answer"],
    "correct": ["correct"],
    "explanation": ["해설"],
    "round": ["회차"],
    "number": ["문제번호", "No."],
    None: ["lang", "answers", ""],
}


@pytest.mark.parametrize(("field", "headers"), HEADERS.items())
def test_header__means_a_field_in_korean_and_english(field: str | None, headers: list[str]) -> None:
    assert [field_named(header) for header in headers] == [field] * len(headers)


# -- CSV ---------------------------------------------------------------------------------------------------------------

KOREAN = (
    "번호{0}문제{0}보기1{0}보기2{0}보기3{0}보기4{0}정답{0}해설{0}비고\r\n"
    "3{0}서당은 무엇인가?{0}학교{0}시장{0}들판{0}산{0}①{0}옛 학교다.{0}x\r\n"
)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_csv__is_read_whatever_its_separator_and_character_set(separator: str, encoding: str) -> None:
    sheet = read_file("a.csv", KOREAN.format(separator).encode(encoding))
    found = read_question(sheet.rows[0])
    assert isinstance(found, Question)
    assert (found.text, found.choices) == ("서당은 무엇인가?", ("학교", "시장", "들판", "산"))
    assert (found.correct, found.explanation, found.exam_number) == (1, "옛 학교다.", 3)
    assert sheet.ignored == ["비고"]


def test_csv__goes_on_after_a_bad_row_and_numbers_rows_as_a_spreadsheet_does() -> None:
    text = 'question,choice_1,choice_2,answer\n"a\nb",1,2,1\n\n,1,2,1\nq,1,2,1,too much\nlast,1,2,2\n'
    sheet = read_file("a.csv", text.encode())
    assert [row.number for row in sheet.rows] == [2, 4, 6]
    assert [(each.row, each.why[:12]) for each in sheet.refused] == [(5, "has 5 cells ")]


def test_csv__tells_of_a_quotation_mark_that_is_open() -> None:
    text = 'question,choice_1,choice_2,answer\nfirst,1,2,1\n"open,1,2,1\nlost,1,2,1\n'
    sheet = read_file("a.csv", text.encode())
    assert [row.values["question"] for row in sheet.rows] == ["first"]
    assert [each.row for each in sheet.refused] == [3]
    assert "close its quotation mark" in sheet.refused[0].why


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no column question"),
        (b"question,answer\na,1\n", "no column choice_1"),
        (b"question,choice_1,choice_2\na,1,2\n", "no column answer"),
    ],
)
def test_csv__without_its_columns_is_refused_with_their_names(content: bytes, why: str) -> None:
    with pytest.raises(ImportRefused, match=why):
        read_file("a.csv", content)


# -- JSON --------------------------------------------------------------------------------------------------------------

ITEM = {"question": "q", "choices": ["a", "b"], "answer": "B"}
LINE_OF_A_SET = {
    "id": "bk-1", "set": "belebele-ko", "lang": "ko", "text": "무엇입니까?", "kind": "answerable", "answers": [],
    "gold": ["x#00"], "choices": ["가", "나", "다", "라"], "correct": 3,
}  # fmt: skip


@pytest.mark.parametrize("shape", [[ITEM], {"questions": [ITEM], "topic": "t"}, ITEM])
def test_json__is_a_list_an_object_or_one_question(shape: Any) -> None:
    (found,) = read("a.json", json.dumps(shape).encode())
    assert isinstance(found, Question)
    assert (found.text, found.choices, found.correct) == ("q", ("a", "b"), 2)


@pytest.mark.parametrize("name", ["questions.jsonl", "questions.json"])
def test_json_lines__of_an_evaluation_set_are_questions(name: str) -> None:
    lines = [json.dumps(LINE_OF_A_SET | {"id": f"bk-{n}", "correct": n}, ensure_ascii=False) for n in range(4)]
    found = read(name, "\n".join(lines).encode())
    assert [(each.key, each.correct) for each in found if isinstance(each, Question)] == [
        ("bk-0", 1), ("bk-1", 2), ("bk-2", 3), ("bk-3", 4)
    ]  # fmt: skip


def test_json__refuses_single_items_and_goes_on() -> None:
    sheet = read_file("a.jsonl", "\n".join([json.dumps(ITEM), "{broken", "[1]", json.dumps(ITEM)]).encode())
    assert [row.number for row in sheet.rows] == [1, 4]
    assert [(each.row, each.why.split(" (")[0]) for each in sheet.refused] == [
        (2, "is no JSON"),
        (3, 'is no object: write {"question": …, "choices": […], "answer": 1}.'),
    ]


@pytest.mark.parametrize("content", [b"", b"{", b"3", b'{"a": 1}', b"[" * 100_000, b"\xff\xfe\x00"])
def test_json__that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(ImportRefused):
        read_file("a.json", content)


# -- Anki --------------------------------------------------------------------------------------------------------------


def package(fields: list[str], *notes: list[str], tags: tuple[str, ...] = ()) -> Sheet:
    """Write somebody else's deck and read it."""
    model = genanki.Model(1, "Theirs", [{"name": name} for name in fields],
                          [{"name": "c", "qfmt": f"{{{{{fields[0]}}}}}", "afmt": ""}])  # fmt: skip
    deck = genanki.Deck(2, "Theirs")
    for number, values in enumerate(notes):
        deck.add_note(genanki.Note(model, values, guid=f"g{number}", tags=tags))
    written = io.BytesIO()
    with closing(sqlite3.connect(":memory:")) as collection:
        genanki.Package(deck).write_to_db(collection.cursor(), 1.0, iter(range(1000, 9999)))
        collection.commit()
        content = collection.serialize()
    with zipfile.ZipFile(written, "w") as file:
        file.writestr("collection.anki2", content)
    return read_file("theirs.apkg", written.getvalue())


def test_anki__reads_the_fields_of_other_decks() -> None:
    sheet = package(
        ["Question", "A", "B", "C", "Answer", "Extra", "Audio"],
        ["<div>Which&nbsp;one is <b>2</b>?</div>", "1", "&lt;2&gt;", "3", "B", "because<br>so", ""],
        tags=("maths", "easy_ones"),
    )
    found = read_question(sheet.rows[0])
    assert found == Question("g0", "Which one is 2?", ("1", "<2>", "3"), 2, "because\nso", tags=("maths", "easy_ones"))
    assert "Audio" in sheet.ignored


def test_anki__reads_decks_that_mark_the_right_one_by_flags() -> None:
    sheet = package(["Question", "Q_1", "Q_2", "Q_3", "Answers"], ["q", "a", "b", "c", "0 0 1"])
    found = read_question(sheet.rows[0])
    assert isinstance(found, Question)
    assert (found.choices, found.correct) == (("a", "b", "c"), 3)


@pytest.mark.parametrize(
    ("front", "back", "answer"),
    [
        ("서당은?<br>① 학교<br>② 시장<br>③ 산", "① 학교<br>옛 학교다.", 1),
        ("서당은?<div>A. 학교</div><div>B. 시장</div><div>C. 산</div>", "정답: B<br>옛 학교다.", 2),
        ("서당은?<br>1) 학교<br>2) 시장<br>3) 산", "산<br>옛 학교다.", 3),
    ],
)
def test_anki__finds_choices_in_the_lines_of_a_card(front: str, back: str, answer: int) -> None:
    sheet = package(["Front", "Back"], [front, back])
    found = read_question(sheet.rows[0])
    assert found == Question("g0", "서당은?", ("학교", "시장", "산"), answer, "옛 학교다.")


def test_anki__refuses_cards_without_choices_and_pictures_by_their_note() -> None:
    sheet = package(["Front", "Back"], ["수도는?", "서울"], ["<img src=a.png><br>① a<br>② b", "1"])
    assert sheet.rows == []
    assert [(each.row, each.field) for each in sheet.refused] == [(1, "choices"), (2, "question")]


def test_split__wants_marks_in_order_from_the_first() -> None:
    assert split_question("q\n② a\n③ b", "") is None
    assert split_question("q\n① a\n③ b", "") is None
    assert split_question("q\n① a", "") is None
    found = split_question("1. 다음 중?\n① a\nmore\n② b", "2")
    assert found is not None
    assert (found["question"], found["choice_1"], found["choice_2"]) == ("1. 다음 중?", "a\nmore", "b")


def zipped(**members: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "."), content)
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (zipped(collection__anki21b=b"x", collection__anki2=b"y"), "Support older Anki"),
        (zipped(media=b"{}"), "no package of Anki"),
        (zipped(collection__anki2=b"x" * 5000), "damaged"),
        (b"PK\x03\x04", "cannot be opened"),
        (b"", "cannot be opened"),
    ],
)
def test_anki__says_why_a_package_cannot_be_read(content: bytes, why: str) -> None:
    with pytest.raises(ImportRefused, match=why):
        read_file("a.apkg", content)


def test_anki__keeps_tags_that_were_changed_there() -> None:
    bank = [Question("k", "q", ("a", "b"), 1, tags=("two words", "x"))]
    written = write_file("a.apkg", bank, "t", 1.0)
    assert [each.tags for each in read("a.apkg", written) if isinstance(each, Question)] == [("two words", "x")]
    with zipfile.ZipFile(io.BytesIO(written)) as file, closing(sqlite3.connect(":memory:")) as collection:
        collection.deserialize(file.read("collection.anki2"))
        collection.execute("UPDATE notes SET tags = ' two_words y '")
        collection.commit()
        changed = zipped(collection__anki2=collection.serialize())
    assert [each.tags for each in read("a.apkg", changed) if isinstance(each, Question)] == [("two_words", "y")]


def test_anki__leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    read("a.apkg", write_file("a.apkg", [Question("k", "q", ("a", "b"), 1)], "t", 1.0))
    assert list(tmp_path.iterdir()) == []


# -- which form --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"), [("a.colpkg", "whole collection"), ("a.pdf", "is not known"), ("a", "ending")]
)
def test_file__of_an_unknown_form_is_refused(name: str, why: str) -> None:
    with pytest.raises(ImportRefused, match=why):
        read_file(name, b"x")
    with pytest.raises(ImportRefused, match=r"\.csv, \.json, \.apkg"):
        write_file(name, [], "t", 0.0)
