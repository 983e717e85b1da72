"""Sets are read from a folder, and a folder that holds none says so."""

import json
from pathlib import Path

import pytest

from services.evaluate.choose import answerable, named, to_time
from services.evaluate.sets import SetError, read_sets, write_documents
from services.evaluate.tags import groups_of
from tests.fakes.evaluation_sets import KOREAN, two_sets, write_set


def test_read_sets__gives_the_sets_of_a_folder_by_name(tmp_path: Path) -> None:
    sets = read_sets(two_sets(tmp_path))
    assert [one.name for one in sets] == ["house-en", "house-ko"]
    assert [len(one.questions) for one in sets] == [4, 4]
    assert sets[1].passages()["pump#00"] == KOREAN["pump"]
    assert sets[1].questions[1].query == "안전밸브 작동 압력은? 1.2 MPa 3년"
    assert [each.answers for each in sets[1].questions[:2]] == [("1.5kW",), ()]


def test_read_sets__takes_one_set_by_itself(tmp_path: Path) -> None:
    two_sets(tmp_path)
    (one,) = read_sets(tmp_path / "house-ko")
    assert one.name == "house-ko"
    assert one.stamp()["passages"] == 3


def test_read_sets__of_a_folder_without_one_says_what_a_set_is(tmp_path: Path) -> None:
    with pytest.raises(SetError, match=r"There is no evaluation set in .* a set is a folder with corpus\.jsonl"):
        read_sets(tmp_path)


def test_read_sets__without_questions_names_the_set(tmp_path: Path) -> None:
    (two_sets(tmp_path) / "house-ko" / "questions.jsonl").unlink()
    with pytest.raises(SetError, match=r"house-ko has no questions\.jsonl"):
        read_sets(tmp_path)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 1 cannot be read"),
        ('{"passages": []}', "line 1 cannot be read: KeyError"),
        ('{"doc_id": "../../etc", "passages": []}', "is no file name"),
        ('{"doc_id": ".hidden", "passages": []}', "is no file name"),
    ],
)
def test_read_sets__names_the_line_that_cannot_be_read(tmp_path: Path, line: str, complaint: str) -> None:
    (write_set(tmp_path / "a", KOREAN, []) / "corpus.jsonl").write_text(line)
    with pytest.raises(SetError, match=complaint):
        read_sets(tmp_path)


def test_read_sets__refuses_a_question_about_a_passage_that_is_not_there(tmp_path: Path) -> None:
    write_set(tmp_path / "a", KOREAN, [{"text": "?", "gold": ["nowhere"]}])
    with pytest.raises(SetError, match="the question a-0 is answered by a passage that corpus"):
        read_sets(tmp_path)


def test_write_documents__makes_a_markdown_file_a_document(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "a", KOREAN, [])
    passages = [{"id": "x#00", "text": "One."}, {"id": "x#01", "text": "Two."}]
    titled = {"doc_id": "x", "title": "Numbers", "passages": passages}
    empty = {"doc_id": "y", "title": "Nothing", "passages": []}
    (folder / "corpus.jsonl").write_text(f"{json.dumps(titled)}\n\n{json.dumps(empty)}\n")
    (one,) = read_sets(tmp_path)
    write_documents(one, tmp_path / "out" / "a")
    assert [path.name for path in (tmp_path / "out" / "a").iterdir()] == ["x.md"]
    assert (tmp_path / "out" / "a" / "x.md").read_text() == "# Numbers\n\nOne.\n\nTwo.\n"


def test_named__gives_the_sets_that_are_asked(tmp_path: Path) -> None:
    sets = read_sets(two_sets(tmp_path))
    assert [one.name for one in named(sets, None)] == ["house-en", "house-ko"]
    assert [one.name for one in named(sets, "house-ko,")] == ["house-ko"]
    with pytest.raises(SetError, match="There is no set other: the folder has house-en, house-ko"):
        named(sets, "house-ko,other")


def test_answerable__gives_the_same_sample_every_time_in_the_order_of_the_file(tmp_path: Path) -> None:
    questions = [{"text": f"Number {number}?", "gold": ["pump"]} for number in range(50)]
    (one,) = read_sets(write_set(tmp_path / "a", KOREAN, [*questions, {"text": "?", "kind": "withheld"}]))
    assert len(answerable(one, None)) == 50
    sample = answerable(one, 10)
    assert sample == answerable(one, 10)
    assert set(sample) < set(answerable(one, 20))
    assert sample == [question for question in one.questions if question in sample]
    assert sample != list(one.questions[:10])
    assert to_time(sample, 3) == [question for question in sample if question in answerable(one, 3)]


def test_groups__tell_what_a_question_is_like(tmp_path: Path) -> None:
    ko = read_sets(two_sets(tmp_path))[1].questions
    assert groups_of(ko[0]) == ["all", "set:house-ko", "language:ko", "tag:answerable", "tag:Latin in Korean"]
    assert groups_of(ko[1])[3:] == ["tag:answerable", "tag:multiple choice"]
    assert groups_of(ko[2])[3:] == ["tag:answerable", "tag:yes or no", "tag:synonym"]
    law = {"text": "도로교통법 제12조의 내용은?", "gold": ["pump"]}
    (one,) = read_sets(write_set(tmp_path / "law", KOREAN, [law]))
    assert groups_of(one.questions[0])[3:] == ["tag:answerable", "tag:number", "tag:law article"]
