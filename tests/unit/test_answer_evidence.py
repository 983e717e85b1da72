"""What `services.answer.evidence` promises."""

from dataclasses import dataclass

from services.answer.evidence import Evidence, number


@dataclass(frozen=True)
class Hit:
    chunk_id: int
    text: str
    restricted: bool = False
    document_id: int = 7
    title: str = "Oil"
    page: int = 2
    start: int = 30
    score: float = 1.5
    material_type: str | None = None


def test_number__counts_from_one_in_the_order_of_the_hits() -> None:
    assert number([Hit(5, "first text"), Hit(3, "second words")]) == [
        Evidence(1, 5, 7, "Oil", 2, 30, "first text", 1.5, False),
        Evidence(2, 3, 7, "Oil", 2, 30, "second words", 1.5, False),
    ]


def test_number__leaves_out_restricted_material() -> None:
    assert [each.chunk_id for each in number([Hit(1, "secret", restricted=True), Hit(2, "open")])] == [2]


def test_number__leaves_out_digests_which_a_model_may_have_written() -> None:
    assert [each.chunk_id for each in number([Hit(1, "told", material_type="digest"), Hit(2, "source")])] == [2]


def test_number__keeps_the_best_of_near_equal_passages() -> None:
    text = " ".join(f"word{index}" for index in range(40))
    hits = [Hit(1, text), Hit(2, f"{text} 12"), Hit(3, text.upper()), Hit(4, f"{text} of another page with more")]
    assert [each.chunk_id for each in number(hits)] == [1, 4]


def test_number__stops_at_the_limit() -> None:
    assert [each.n for each in number([Hit(index, f"text{index}") for index in range(9)], limit=3)] == [1, 2, 3]


def test_number__passes_over_blank_passages() -> None:
    assert number([Hit(1, " \n")]) == []
