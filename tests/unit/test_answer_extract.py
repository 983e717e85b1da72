"""What `services.answer.extract` promises."""

from hypothesis import given
from hypothesis import strategies as st

from services.answer.check import check
from services.answer.evidence import Evidence
from services.answer.extract import MAX_ANSWER_CHARS, MAX_SENTENCE_CHARS, MAX_SENTENCES, extract
from services.answer.question import Asked, read
from services.answer.result import Answer, Refusal
from services.text.terms import query_terms

CRISIS = "The oil crisis began in October 1973. Prices rose quickly. Nobody was blamed."
WORDS = st.sampled_from(
    ["oil", "crisis", "압력은", "밸브", "1973", "He", "has.", "있다.", "\n", "\n\n", "# 유가", "[3]"]
)
TEXTS = st.lists(WORDS, max_size=120).map(" ".join)


def asked(question: str) -> Asked:
    return read(question, dict.fromkeys(query_terms(question), 1.0))


def passage(text: str, n: int = 1, score: float = 1.0) -> Evidence:
    return Evidence(n, n, n, "", 1, 0, text, score, False)


def answer(question: str, *evidence: Evidence, max_chars: int = MAX_ANSWER_CHARS) -> Answer:
    result = extract(asked(question), evidence, max_chars)
    assert isinstance(result, Answer)
    return result


@given(st.lists(TEXTS, min_size=1, max_size=4), st.integers(20, 700))
def test_extract__passes_its_own_check(texts: list[str], max_chars: int) -> None:
    evidence = [passage(text, n) for n, text in enumerate(texts, start=1)]
    result = extract(asked("oil crisis 밸브 1973"), evidence, max_chars)
    if isinstance(result, Answer):
        pages = {(each.document_id, each.page): each.text for each in evidence}
        assert not [finding for finding in check(result, pages, max_chars) if finding.strength == "strong"]
        assert 1 <= len(result.citations) <= MAX_SENTENCES


def test_extract__copies_the_sentence_and_cites_it() -> None:
    result = answer("When did the oil crisis begin?", passage(CRISIS))
    assert result.text == "The oil crisis began in October 1973. [1]"
    assert [(each.n, each.quote, each.start) for each in result.citations] == [(1, result.text[:-4], 0)]


def test_extract__counts_offsets_from_the_page() -> None:
    evidence = Evidence(1, 4, 5, "Oil", 3, 100, CRISIS, 1.0, False)
    (citation,) = answer("Who was blamed?", evidence).citations
    assert (citation.start, citation.end) == (100 + CRISIS.index("Nobody"), 100 + len(CRISIS))
    assert (citation.document_id, citation.chunk_id, citation.title, citation.page) == (5, 4, "Oil", 3)


def test_extract__prefers_a_sentence_with_what_was_asked_for() -> None:
    text = passage("A crisis was feared. A crisis was hated. A crisis was near. A crisis cost 300 dollars.")
    assert any("300" in each.quote for each in answer("How much was the crisis?", text).citations)


def test_extract__brings_along_the_sentence_a_pronoun_needs() -> None:
    text = passage("Tesla moved to New York. He died there in 1943. Snow fell.")
    assert (
        answer("When did the inventor die in 1943?", text).text
        == "Tesla moved to New York. [1] He died there in 1943. [2]"
    )


def test_extract__keeps_sentences_of_a_page_in_its_order() -> None:
    text = passage("An oil crisis hurts. Birds sing. The oil crisis hurts everybody.")
    starts = [each.start for each in answer("oil crisis hurts everybody", text).citations]
    assert starts == sorted(starts)


def test_extract__leaves_out_headings_and_copied_footnote_marks() -> None:
    result = answer("oil crisis", passage("# Oil crisis\n\nAn oil crisis hurts.[3]"))
    assert result.text == "An oil crisis hurts. [1]"
    assert result.citations[0].quote == "An oil crisis hurts.[3]"


def test_extract__cuts_a_text_without_stops() -> None:
    result = answer("oil crisis", passage("oil crisis words " * 200))
    assert len(result.citations[0].quote) <= MAX_SENTENCE_CHARS


def test_extract__keeps_to_the_limit() -> None:
    text = passage("The oil crisis began early. The oil crisis ended late.")
    assert len(answer("oil crisis", text, max_chars=40).text) <= 40


def test_extract__tells_full_from_partial() -> None:
    full, partial = answer("oil crisis", passage(CRISIS)), answer("oil rivers mushrooms", passage(CRISIS))
    assert (full.completeness, full.confidence) == ("full", "high")
    assert (partial.completeness, partial.confidence) == ("partial", "low")


def test_extract__refuses_when_no_sentence_fits() -> None:
    refusal = extract(asked("버섯은 어디에서 자라나요?"), [passage(CRISIS)])
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, "문서" in refusal.sentence) == ("evidence_weak", True)
