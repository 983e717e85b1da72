"""Turn text into search terms, and terms into the two sides of BM25 as sparse vectors.

In: the text of a passage with its title, or a question. Out: term ids and weights for pgvector's `sparsevec`,
so that the inner product of both sides is the BM25 score. It refuses nothing: a text without a word has no
terms.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from heapq import nlargest
from operator import itemgetter

import snowballstemmer

DIMENSIONS = 2**29 - 1
"""Ids of terms run from 1 to here; pgvector allows a sparsevec 1e9 dimensions."""

MAX_ELEMENTS = 16_000
"""Non-zero elements pgvector stores in one sparsevec (SPARSEVEC_MAX_NNZ, pgvector 0.8.5)."""

K1 = 1.2
"""How slowly a repeated term saturates: the usual value (Robertson and Zaragoza 2009)."""

B = 0.75
"""How much a long passage is held against it: the usual value (Robertson and Zaragoza 2009)."""

LENGTH_REFERENCE = 150
"""Terms of a middling passage; fixed, so that a passage's weights are written once. On squad2-en and
kobest-ko 100 to 300 differ by at most 0.3 points of R@1."""

LONG_WORDS = 0.2
BEHIND_THE_QUESTION = 0.7
"""See `emphasis`."""

CACHED_CHARS = 40
"""Longer tokens are Hangul or Han without spaces, and none comes twice: cached, 1,200 of them take 180 MB."""

CJK = "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_TOKEN = re.compile(
    rf"""
    (?P<law>제\s?\d+\s?[조항호장절편관](?:의\s?\d+)?|\d+[조항호](?:의\s?\d+)?)
  | (?P<number>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?!,?\d)   # 1,234,567.8
      | (?<!\d\.)\d+\.\d+(?!\.?\d)                        # 3.5, but neither a date 2024.3.5 nor a version
      | \d+)
  | (?P<word>[^\W\d_{CJK}][^\W_{CJK}]*(?:['’](?:s|t|d|m|ll|re|ve)\b)?)
  | (?P<run>[\uac00-\ud7a3]+|[\u1100-\u11ff\u3130-\u318f]+|[\u3040-\u30ff]+|[\u3400-\u4dbf\u4e00-\u9fff]+)
    """,
    re.VERBOSE,
)

_ASKING = re.compile(
    r"""
    (?<![가-힣])(?:무엇|무슨|뭐|뭔|언제|누구|누가|어디|얼마|어느|어떻게|어떤|왜|몇)
      (?:나|를|을|의|에서|에|와|과|이|가|로|부터|까지)?(?:인가요?|입니까|이었?나요?|일까요?|인지|이며|이고)?(?![가-힣])
  | (?:인가요?|는가요?|은가요?|던가요?|나요|니까|까요|이다)(?=[\s?？.!]*\Z)
  | (?:에\s?대해(?:서)?\s?)?(?:알려|설명해|말해|찾아|가르쳐)\s?(?:줘|주세요|주십시오|달라)
  | (?:이\s|위\s|본\s)?지문에\s?(?:따르면|의하면) | 다음\s?중(?:에서)?
  | \bplease\b | \A\s*(?:tell\ me|show\ me|explain|describe)\b
  | \b(?:according\ to|based\ on)\ (?:the|this)\ passage\b | \bwhich\ of\ the\ following\b
    """,
    re.VERBOSE,
)

_FUNCTION_WORDS = """
a about above after again against all am an and any are as at be because been before being below between
both but by can cannot could did do does doing down during each few for from further had has have having
he her here hers herself him himself his how i if in into is it its itself just me more most my myself
no nor not now of off on once only or other our ours ourselves out over own s same she should so some
such t than that the their theirs them themselves then there these they this those through to too under
until up upon very was we were what when where which while who whom whose why will with would you your
yours yourself yourselves many much may might must shall also
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""English words that only hold a sentence together; Korean ones fall to idf, since bigrams cross their
borders."""


def terms(text: str) -> list[str]:
    """Split a text into its search terms, in order and with repetitions.

    Latin words are lower-cased, freed of accents, stemmed as English, function words left out; runs of
    Hangul, Kana or Han become character bigrams (a single character stays); a number is one term without its
    thousands commas, and 03 is 3; 제12조의2 gives 12, 12조 and 12조의2, so that a question may leave out 제.
    """
    found: list[str] = []
    for match in _TOKEN.finditer(fold(text)):
        found.extend(_token_terms(match.lastgroup or "", match.group()))
    return found


def worded_ids(folded: str) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Give the tokens of a folded text with the ids of their terms, as (kind, token, ids).

    `kind` is "word", "number", "law" or "run", a run of Hangul, Kana or Han that becomes bigrams.
    """
    for match in _TOKEN.finditer(folded):
        kind = match.lastgroup or ""
        yield kind, match.group(), _token_ids(kind, match.group())


def content_of(question: str) -> str:
    """Give a folded question without the words that only ask, unless it is made of nothing else."""
    content = _ASKING.sub(" ", fold(question))
    return content if _TOKEN.search(content) else fold(question)


def located_terms(folded: str, start: int = 0, end: int | None = None) -> Iterator[tuple[str, int, int]]:
    """Give the terms of a text that `fold` has folded, each with its place in it, `folded[first:last]`; as `terms`.

    A bigram has a place of its own; terms of one number or reference to a law share its place.

    Args:
        start, end: only a part is read; its borders should lie where no token does.
    """
    for match in _TOKEN.finditer(folded, start, len(folded) if end is None else end):
        kind = match.lastgroup or ""
        first, last = match.span()
        found = _token_terms(kind, match.group())
        if kind == "run" and last - first > 1:
            yield from ((term, first + at, first + at + 2) for at, term in enumerate(found))
        else:
            yield from ((term, first, last) for term in found)


def fold(text: str) -> str:
    """Give a text as its terms are read from: compatibility forms made one (NFKC), in lower case."""
    return unicodedata.normalize("NFKC", text).lower()


@lru_cache(maxsize=2**16)
def term_id(term: str) -> int:
    """Give a term its place in the sparse vector, 1..DIMENSIONS, the same in every process and release.

    A hash instead of a table needs no lock and no lookup at ingest. With a vocabulary of 1,000,000 terms
    about 930 pairs share an id (v*v / 2 / 2**29), so one term in 500 to 1,000 is confused with one other
    term.
    """
    return int.from_bytes(blake2b(term.encode(), digest_size=8).digest(), "big") % DIMENSIONS + 1


def document_weights(text: str, title: str = "") -> dict[int, float]:
    """Weigh a passage's terms as BM25's document side: tf*(k1+1) / (tf + k1*(1 - b + b*length/reference)).

    Args:
        text: the passage.
        title: its document's title, read as if it stood in front of the passage.
    Returns:
        weight by term id, at most MAX_ELEMENTS of them (the heaviest); all above 0.
    """
    counts = Counter(_ids(title))
    counts.update(_ids(text))
    norm = K1 * (1 - B + B * counts.total() / LENGTH_REFERENCE)
    weights = {ident: tf * (K1 + 1) / (tf + norm) for ident, tf in counts.items()}
    return heaviest(weights, MAX_ELEMENTS)


def heaviest(weights: Mapping[int, float], limit: int) -> dict[int, float]:
    """Keep the `limit` heaviest elements; of equal ones the first."""
    if len(weights) <= limit:
        return dict(weights)
    return dict(nlargest(limit, weights.items(), key=itemgetter(1)))


def query_terms(question: str) -> dict[str, int]:
    """Give a question's distinct terms with their ids, in order of first use.

    Words that only ask (무엇인가요, 얼마입니까, 알려 주세요, please) are left out: passages state, they do
    not ask, so such a term is rare in any corpus and its idf would drown what is asked about. A question of
    nothing else keeps them all.
    """
    content = _ASKING.sub(" ", fold(question))
    return {term: term_id(term) for term in terms(content) or terms(question)}


def emphasis(question: str) -> dict[int, float]:
    """Say how much each term of a question counts beside its idf, by id; the terms are those of `query_terms`.

    A long Hangul word is many bigrams and would drown a short one: each counts (bigrams of its word)^-0.2. What
    stands behind the question mark, as the choices of an exam do, counts 0.7 (belebele in one index with all sets:
    R@1 .986 to .989 Korean, .995 to .997 English; kobest .947 to .949).
    """
    found: dict[int, float] = {}
    asked, mark, behind = re.sub(r"\s+\Z", "", question).partition("?")
    for text, share in ((asked + mark, 1.0), (behind, BEHIND_THE_QUESTION)):
        for kind, _, ids in worded_ids(_ASKING.sub(" ", fold(text))):
            share_of_each = share * (len(ids) ** -LONG_WORDS if kind == "run" and ids else 1.0)
            for ident in ids:
                found[ident] = max(found.get(ident, 0.0), share_of_each)
    return found


def question_weights(question: str, df: Mapping[int, int], n: int) -> dict[str, float]:
    """Weigh a question's terms by idf, by the term itself: what `services.answer` compares with sentences."""
    return {term: idf(df.get(ident, 0), n) for term, ident in query_terms(question).items()}


def idf(df: int, n: int) -> float:
    """Weigh a term by its rarity: ln(1 + (n - df + 0.5) / (df + 0.5)), above 0 also for a term in every
    passage.

    Args:
        df: passages that hold the term; may be stale and larger than `n`.
        n: passages in all.
    """
    return math.log1p((max(n, df) - df + 0.5) / (df + 0.5))


def query_weights(ids: Iterable[int], df: Mapping[int, int], n: int) -> dict[int, float]:
    """Weigh a question's terms as BM25's query side: the idf of each; an id not in `df` is in no passage."""
    return {ident: idf(df.get(ident, 0), n) for ident in ids}


def sparsevec_text(weights: Mapping[int, float]) -> str:
    """Write weights in pgvector's text form, `{1:0.5,7:1.2}/536870911`: indices from 1, ascending, no
    zeros."""
    elements = ",".join(f"{ident}:{weight:.6g}" for ident, weight in sorted(weights.items()))
    return f"{{{elements}}}/{DIMENSIONS}"


def _ids(text: str) -> list[int]:
    found: list[int] = []
    for match in _TOKEN.finditer(fold(text)):
        found.extend(_token_ids(match.lastgroup or "", match.group()))
    return found


def _token_ids(kind: str, token: str) -> tuple[int, ...]:
    return _cached_ids(kind, token) if len(token) <= CACHED_CHARS else _ids_of(kind, token)


def _ids_of(kind: str, token: str) -> tuple[int, ...]:
    return tuple(term_id(term) for term in _token_terms(kind, token))


_cached_ids = lru_cache(maxsize=2**15)(_ids_of)  # a text repeats its words: most time would go to stemming and hashing


def _token_terms(kind: str, token: str) -> tuple[str, ...]:
    return _cached_terms(kind, token) if len(token) <= CACHED_CHARS else _terms_of(kind, token)


def _terms_of(kind: str, token: str) -> tuple[str, ...]:
    match kind:
        case "word":
            return _word(token)
        case "number":
            return (_number(token),)
        case "law":
            return _law(token)
        case _:
            return _bigrams(token)


_cached_terms = lru_cache(maxsize=2**15)(_terms_of)


def _word(token: str) -> tuple[str, ...]:
    word = _without_accents(token.replace("’", "'"))
    base = word.partition("'")[0]
    if base in FUNCTION_WORDS or word.endswith("n't"):
        return ()
    # A stemmer keeps the word it works on, so two threads may not share one; a new one costs 1 of 50
    # microseconds.
    return (str(snowballstemmer.stemmer("english").stemWord(base)),)


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


def _number(token: str) -> str:
    plain = token.replace(",", "")
    return plain[1] if len(plain) == 2 and plain[0] == "0" else plain


def _law(token: str) -> tuple[str, ...]:
    plain = re.sub(r"\s|^제", "", token)
    number = re.match(r"\d+", plain)
    digits = number.group() if number else ""
    whole = plain[: len(digits) + 1]
    return (digits, whole) if plain == whole else (digits, whole, plain)


def _bigrams(run: str) -> tuple[str, ...]:
    if len(run) == 1:
        return (run,)
    return tuple(run[i : i + 2] for i in range(len(run) - 1))
