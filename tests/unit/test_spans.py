"""What `services.answer.spans` promises: only what a passage says, enough of it, and by whose choice."""

import pytest
from pydantic import ValidationError

from services.answer.evidence import Evidence
from services.answer.question import Asked, read
from services.answer.spans import Excerpt, Pick, choose, located, widened
from services.kit.span_settings import SpanSettings
from services.text.terms import query_terms

FILLER = "이 문단은 다른 시설의 일반 사항을 적은 것으로 여기에서 찾는 것과는 관계가 없다. " * 9
PASSAGE = (
    f"{FILLER}안전밸브의 작동 압력은 1.2 MPa로 하며, 점검 기록은 점검한 날부터 3년간 보관하여야 한다. {FILLER}".strip()
)
USUAL = SpanSettings()
COPIED = "점검 기록은 점검한 날부터 3년간 보관하여야 한다."


def asked(question: str = "점검 기록은 얼마나 보관하나요?") -> Asked:
    return read(question, dict.fromkeys(query_terms(question), 1.0))


def chosen(evidence: list[Evidence], picks: list[Pick], settings: SpanSettings = USUAL) -> list[Excerpt]:
    return choose(asked(), evidence, picks, settings)


def passages(*texts: str) -> list[Evidence]:
    return [Evidence(n, 10 + n, 20 + n, "지침", 1, 100, text, 1.0, False) for n, text in enumerate(texts, 1)]


@pytest.mark.parametrize(
    ("passage", "span", "found"),
    [
        ("a b c", "b", (2, 3)),
        ("a  b\n c d", "b c", (3, 7)),
        ("점검 기록은 3년\n간 보관한다.", "3년간 보관한다.", (7, 17)),
        ("1.2 MPa", "1.2MPa", (0, 7)),
        ("The value is 5 (max).", "is 5 (max)", (10, 20)),
        ("a b c", "a c", None),
        ("3년간 보관", "5년간 보관", None),
        ("a", "", None),
        ("a", "   ", None),
        ("word for word", "Word for word", None),
    ],
)
def test_located__white_space_aside_a_span_is_in_its_passage_or_not(
    passage: str, span: str, found: tuple[int, int] | None
) -> None:
    assert located(passage, span, USUAL.most_chars) == found


@pytest.mark.parametrize(("start", "end"), [(0, 10), (95, 100), (50, 60), (0, 0), (100, 100)])
def test_widened__holds_the_place_and_stays_within(start: int, end: int) -> None:
    wide = widened("x" * 100, start, end, 40)
    assert wide[0] <= start <= end <= wide[1]
    assert (wide[1] - wide[0], wide[0] >= 0, wide[1] <= 100) == (40, True, True)
    assert widened("x" * 20, 3, 5, 40) == (0, 20)
    assert widened("x" * 100, 10, 90, 40) == (10, 90)


def test_choose__a_short_span_is_widened_and_shown_with_its_sentence() -> None:
    (only,) = chosen(passages(PASSAGE), [Pick(1, COPIED, 0.9)])
    assert len(COPIED) < USUAL.short_chars
    assert (only.source, only.relevance, len(only.text)) == ("llm", 0.9, USUAL.widened_chars)
    assert COPIED in only.text
    shown = only.shown(USUAL.around_chars)
    assert "안전밸브의 작동 압력은 1.2 MPa로 하며" in shown.text
    assert PASSAGE[shown.page_start - 100 :].startswith(shown.text)
    assert len(shown.text) < len(PASSAGE)


def test_choose__a_long_span_stays_as_it_is_and_a_passage_of_it_is_cut() -> None:
    span = PASSAGE[20:150].strip()
    (only,) = chosen(passages(PASSAGE), [Pick(1, span, 1.0)])
    assert only.text == span
    (cut,) = chosen(passages(PASSAGE), [Pick(1, PASSAGE, 1.0)])
    assert len(cut.text) == USUAL.most_chars < len(PASSAGE)


def test_choose__what_was_not_copied_is_looked_for_by_the_questions_words() -> None:
    (only,) = chosen(passages(PASSAGE), [Pick(1, "점검 기록은 5년간 보관한다.", 0.8)])
    assert (only.source, only.relevance) == ("rule_fallback", 0.8)
    assert COPIED in only.text
    assert only.shown(USUAL.around_chars) == only.evidence


def test_choose__without_a_model_every_passage_stays_whole() -> None:
    found = chosen(passages(PASSAGE, FILLER), [])
    assert [(each.source, each.shown(USUAL.around_chars).text) for each in found] == [
        ("rule_fallback", PASSAGE),
        ("rule_fallback", FILLER),
    ]
    assert found[0].relevance > found[1].relevance


def test_choose__few_of_many_are_supplemented_by_rule() -> None:
    evidence = passages(FILLER, PASSAGE, "다른 것.", "점검 기록의 보관.", "또 다른 것.")
    found = chosen(evidence, [Pick(2, COPIED, 0.9)])
    assert [(each.evidence.n, each.source) for each in found] == [(1, "supplement"), (2, "llm"), (4, "supplement")]
    assert len(found) == USUAL.enough


@pytest.mark.parametrize("kept", [(1, 2, 3), (1, 3, 4, 5)])
def test_choose__enough_of_the_models_choice_is_left_alone(kept: tuple[int, ...]) -> None:
    texts = [f"{n}번 문단이다. {COPIED}" for n in range(1, 6)]
    found = chosen(passages(*texts), [Pick(n, COPIED, 0.5) for n in kept])
    assert [(each.evidence.n, each.source) for each in found] == [(n, "llm") for n in kept]


def test_choose__of_two_passages_one_is_enough() -> None:
    found = chosen(passages(FILLER, PASSAGE), [Pick(2, COPIED, 0.9)])
    assert [each.evidence.n for each in found] == [2]


@pytest.mark.parametrize("relevance", [0.05, 0.3, 0.49])
def test_choose__low_relevance_is_not_dropped(relevance: float) -> None:
    found = chosen(passages(PASSAGE), [Pick(1, COPIED, relevance)])
    assert [(each.source, each.relevance) for each in found] == [("llm", relevance)]


def test_choose__passages_that_are_not_there_and_doubles_are_passed_over() -> None:
    picks = [Pick(7, COPIED, 1.0), Pick(1, "안전밸브의 작동 압력은", 0.2), Pick(1, COPIED, 0.9), Pick(0, COPIED, 1.0)]
    (only,) = chosen(passages(PASSAGE), picks)
    assert (only.evidence.n, only.relevance) == (1, 0.9)
    assert COPIED in only.text


def test_choose__an_excerpt_is_always_a_part_of_its_passage() -> None:
    for text in (PASSAGE, "짧다.", "# 제목만", "\n\n  \n", "x" * 3000, "가나다 " * 500):
        for span in ("", text[:10], text[5:60], text, "없는 말"):
            for each in chosen(passages(text), [Pick(1, span, 0.5)]):
                assert 0 <= each.start <= each.end <= len(text)
                shown = each.shown(USUAL.around_chars)
                start = shown.page_start - 100
                assert text[start : start + len(shown.text)] == shown.text


def test_numbers__are_settings() -> None:
    evidence = passages(FILLER, PASSAGE, "다른 것.", "점검 기록의 보관.", "또 다른 것.")
    pick = [Pick(2, COPIED, 0.9)]
    (only,) = chosen(passages(PASSAGE), [Pick(1, COPIED, 0.9)], SpanSettings(short_chars=10))
    assert only.text == COPIED
    (wide,) = chosen(passages(PASSAGE), [Pick(1, COPIED, 0.9)], SpanSettings(widened_chars=300))
    assert len(wide.text) == 300
    (cut,) = chosen(passages(PASSAGE), [Pick(1, PASSAGE, 1.0)], SpanSettings(most_chars=250))
    assert len(cut.text) == 250
    (by_rule,) = chosen(passages(PASSAGE), [], SpanSettings(window_chars=320))
    assert len(by_rule.text) == 320
    assert len(chosen(evidence, pick, SpanSettings(enough=2))) == 2
    assert len(only.shown(0).text) < len(only.shown(150).text)


@pytest.mark.parametrize(
    "wrong", [{"widened_chars": 79}, {"most_chars": 119}, {"window_chars": 401}, {"enough": 0}, {"around_chars": -1}]
)
def test_numbers__that_contradict_each_other_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        SpanSettings(**wrong)
