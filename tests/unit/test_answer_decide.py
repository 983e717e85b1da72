"""What `services.answer.decide` and its table promise."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.answer.around import Around
from services.answer.decide import ARTICLE_CHUNKS, Verdict, decide, form_of
from services.answer.evidence import Evidence
from services.answer.question import Asked, read
from services.answer.support_weights import TABLES, THRESHOLDS, Table
from services.text.terms import query_terms

CRISIS = "The oil crisis began in October 1973. Prices rose quickly. Nobody was blamed."
VALVE = "안전밸브는 설계 압력 이하에서 작동하여야 한다."


def asked(question: str, weight: float = 5.0) -> Asked:
    return read(question, dict.fromkeys(query_terms(question), weight))


def passage(text: str, title: str = "", n: int = 1, score: float = 20.0) -> Evidence:
    return Evidence(n, n, n, title, 1, 0, text, score, False)


def test_decide__refuses_without_evidence() -> None:
    assert decide(asked("When did the oil crisis begin?"), []) == Verdict(False, 0.0, "no_evidence")


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("When did oil prices in the crisis rise?", "covered"),
        ("Which mushrooms grow near rivers?", "words_missing"),
        ("How quickly did Prussian and Bavarian oil prices rise in 1901?", "name_missing"),
        ("Which oil crisis never began?", "negation_missing"),
    ],
)
def test_decide__says_why(question: str, why: str) -> None:
    verdict = decide(asked(question), [passage(CRISIS, score=5.0 if why != "covered" else 20.0)])
    assert (verdict.why, verdict.enough) == (why, why == "covered")


def test_decide__judges_korean_by_its_own_table() -> None:
    assert decide(asked("안전밸브의 작동 압력은 얼마인가요?"), [passage(VALVE)]).enough
    assert not decide(asked("지하철 요금은 얼마인가요?"), [passage(VALVE, score=0.5)]).enough


@pytest.mark.parametrize(
    ("question", "twisted"),
    [
        ("What began in October 1973?", "What ended in October 1973?"),
        ("What rose quickly in the oil crisis?", "What never rose quickly in the oil crisis?"),
        ("Which oil crisis began in 1973?", "Which oil crisis began in 1979?"),
    ],
)
def test_decide__trusts_a_question_less_that_was_turned_round(question: str, twisted: str) -> None:
    evidence = [passage(CRISIS)]
    assert decide(asked(twisted), evidence).coverage < decide(asked(question), evidence).coverage


def test_decide__trusts_a_passage_more_that_stands_out() -> None:
    alone, among = [passage(CRISIS)], [passage(CRISIS), passage(CRISIS + " Again.", n=2)]
    question = asked("What began in October 1973?")
    assert decide(question, alone).coverage > decide(question, among).coverage


def test_decide__takes_the_passage_that_holds_most() -> None:
    question = asked("When did the oil crisis begin?")
    last = [passage("Nothing here.", n=1), passage(CRISIS, n=2)]
    assert decide(question, last).coverage == decide(question, last[::-1]).coverage


def test_decide__reads_the_title_too() -> None:
    question, text = asked("When did the oil crisis begin?"), "It began in 1973."
    assert decide(question, [passage(text, "Oil crisis")]).coverage > decide(question, [passage(text)]).coverage


def test_decide__bears_a_passage_of_nothing_but_a_heading() -> None:
    assert 0 <= decide(asked("oil"), [passage("# Oil")]).coverage <= 1


@given(st.text(max_size=200), st.lists(st.text(max_size=300), min_size=1, max_size=5))
def test_decide__gives_a_share_for_whatever_is_asked(question: str, texts: list[str]) -> None:
    verdict = decide(asked(question), [passage(text, n=n) for n, text in enumerate(texts, start=1)])
    assert 0 <= verdict.coverage <= 1
    assert verdict.enough == (verdict.why == "covered")


@pytest.mark.parametrize(
    ("question", "form"),
    [
        ("When did it begin?", "question"),
        ("When did it begin? Please.", "question"),
        ("When did it begin? October 1973 January 1974 March 1975 never", "options"),
        ("밸브는 언제 작동합니까? 압력이 낮을 때 온도가 높을 때", "options"),
        ("밸브가 작동하는 때를 고르시오. 압력이 낮을 때 온도가 높을 때", "options"),
        ("밸브가 작동하는 때를 고르시오.", "question"),
    ],
)
def test_form_of__tells_a_question_with_options(question: str, form: str) -> None:
    assert form_of(asked(question), ARTICLE_CHUNKS) == form


OIL = (
    "The oil crisis began in October 1973, when the ministers of six countries agreed to raise prices. Ships waited "
    "in the harbours, drivers waited at the pumps, and the government forbade driving on Sundays."
)
OIL_AGAIN = (
    "The oil crisis began in October 1973, as ministers of six countries agreed to raise all prices. Ships waited "
    "in harbours, drivers waited at pumps, and a government forbade any driving on Sundays."
)
WHAT_WAS_FORBIDDEN = (
    "What did the government forbid in the oil crisis of 1973? Driving on Sundays Waiting at the pumps Raising prices "
    "Ships in the harbours"
)
VALVES = "안전밸브는 설계 압력 이하에서 작동하여야 하며, 압력용기의 본체에 수직으로 붙이고 해마다 한 번 검사한다."
VALVES_AGAIN = (
    "안전밸브는 설계된 압력 아래에서 작동하여야 하고, 압력용기 본체에 곧게 수직으로 붙여 해마다 한 번 검사한다."
)
WHERE_VALVES_ARE = "안전밸브는 압력용기의 어디에 붙입니까? 본체에 수직으로 본체에 수평으로 배관의 끝에 바닥 아래에"
FERRIES = passage("Ferries cross the sound twice a day and carry cars, the government says.", n=3, score=12.0)
LIFTS = passage("승강기는 해마다 한 번 검사하고 바닥 아래에 완충기를 붙인다.", n=3, score=12.0)


@pytest.mark.parametrize(
    ("question", "text", "again", "other"),
    [(WHAT_WAS_FORBIDDEN, OIL, OIL_AGAIN, FERRIES), (WHERE_VALVES_ARE, VALVES, VALVES_AGAIN, LIFTS)],
)
def test_decide__takes_a_copy_in_a_few_other_words_for_no_objection(
    question: str, text: str, again: str, other: Evidence
) -> None:
    asked_for = asked(question)
    alone = decide(asked_for, [passage(text, score=60.0), other])
    twice = decide(asked_for, [passage(text, score=60.0), passage(again, n=2, score=59.0), other])
    assert (alone.enough, twice.enough) == (True, True)
    assert twice.coverage > 0.95 * alone.coverage


@pytest.mark.parametrize(
    ("question", "text", "again", "other"),
    [(WHERE_VALVES_ARE, OIL, OIL_AGAIN, FERRIES), (WHAT_WAS_FORBIDDEN, VALVES, VALVES_AGAIN, LIFTS)],
)
def test_decide__refuses_options_that_no_passage_speaks_of(
    question: str, text: str, again: str, other: Evidence
) -> None:
    evidence = [passage(text, score=8.0), passage(again, n=2, score=7.0), other]
    assert not decide(asked(question), evidence).enough
    assert not decide(asked(question), evidence[2:]).enough


@given(st.floats(1e-3, 1e3))
def test_decide__does_not_care_on_which_scale_options_were_scored(scale: float) -> None:
    def judged(times: float) -> Verdict:
        return decide(
            asked(WHAT_WAS_FORBIDDEN), [passage(OIL, score=60.0 * times), replace(FERRIES, score=12.0 * times)]
        )

    assert judged(scale).coverage == pytest.approx(judged(1.0).coverage, abs=1e-5)


def test_form_of__knows_a_short_document() -> None:
    assert form_of(asked("When did it begin?"), ARTICLE_CHUNKS - 1) == "short"


def test_decide__trusts_words_more_that_are_rare_around() -> None:
    question = asked("When did the crisis begin?")
    common, rare = (
        decide(question, [passage(CRISIS)], {1: Around(20, {"crisi": held, "began": held, "begin": held})}).coverage
        for held in (20, 1)
    )
    assert common < rare


@pytest.mark.parametrize("table", TABLES.values())
def test_table__counts_what_is_there_for_and_what_is_missing_against(table: Table) -> None:
    passage, sentence = table.passage, table.sentence
    assert passage.words > 0
    assert min(passage.share, passage.local, passage.score, passage.lead, passage.ahead, sentence.share) >= 0
    assert max(passage.missing, passage.names, passage.lacking, passage.topic, sentence.kind, sentence.negation) <= 0


def test_table__has_a_threshold_for_every_form() -> None:
    assert TABLES.keys() == THRESHOLDS.keys()
    assert all(0 < least < 1 for least in THRESHOLDS.values())
