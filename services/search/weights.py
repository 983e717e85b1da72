"""What each leg is worth in a language: measured on the corpus itself, without anybody's labels.

In: the corpus and the configured embedder. Out: shares of the legs for questions of each language, kept with the
generation of vectors (table leg_weights). An embedder that knows no Korean finds Korean chunks hardly ever; fused at
equal weight it took R@1 in Korean from .95 to .12.

A sentence from inside a chunk, some of its words dropped, stands for a question whose answer is that chunk. Words find
nearly all of those, since the words are the chunk's own: the share of vectors is therefore not the one that is best for
these questions, but goes by how many of them the vectors find among their first ten (`share`).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from db.pool import Database
from db.search_rows import LegWeightRow, SampleChunk, WeightsDue
from services.kit.log import Event, get_logger
from services.model.errors import ModelError
from services.search.filters import Filters
from services.search.hit import Ranked
from services.search.lexical import search_lexical
from services.search.vector import search_chunk_vectors, sight
from services.text.language import SYLLABLE_WEIGHT, Language, detect
from services.text.normalise import normalise
from services.text.sentences import sentences
from services.tools import Tools

log = get_logger()

LEXICAL, CHUNKS, DOCUMENTS = "lexical", "chunks", "documents"
Weights = dict[str, float]

UNMEASURED: Mapping[str, float] = {LEXICAL: 0.8, CHUNKS: 0.2}
"""Until there are figures: with an embedder that knows no Korean this costs Korean search nothing (evaluation sets)."""
MEASURED: tuple[Language, ...] = ("ko", "en", "mixed")

MOST_SHARE = 0.4
"""Of vectors that find what they should. MiniLM in English, R@1 / R@10 by its share: .2 .808/.978, .3 .817/.981,
.4 .827/.984, .5 .824/.987, .6 .818/.984, words alone .785/.966 (evaluation sets, one common index, before the words'
second look; with it .857/.985 at .4)."""
USELESS, GOOD = 0.25, 0.75
"""Shares of made questions whose chunk is among the first ten: up to the one vectors count nothing, from the other
fully. MiniLM finds .91 of English ones among 3,766 chunks, .08 of Korean ones."""
DOCUMENT_PART = 0.1
"""Part of the vectors' share that goes to whole documents. Measured, it gains nothing: R@1 / R@10 in English .827/.984
without, .827/.983 with an eighth, .823/.983 with a quarter, .763/.983 with two in five; so it is small."""
SAMPLE = 1000
"""Random places of the corpus; most give a question, and few languages share them."""
QUESTIONS = 150
"""Questions of one language: the share that is found has a standard error of at most .04."""
FEWEST = 30
"""With fewer a language is not measured."""
DEPTH = 10
DROPPED = 0.4
"""Part of a sentence's words that a question lacks."""
SENTENCE_CHARS = (40, 400)
"""Length of a sentence that is taken, in Latin letters."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A made question, the chunk that it is about, and whose it is."""

    question: str
    chunk_id: int
    user_id: int


async def weights_for(db: Database, embedder: int, language: Language) -> Weights:
    """Give the shares of the legs for a question in a language; a leg that is worth nothing has 0.

    A language that was not measured (the corpus has too little of it) goes by UNMEASURED: the corpus cannot say what
    the embedder makes of a question in another language than its texts.
    """
    for row in await db.many(LegWeightRow, "leg_weights_of", embedder=embedder):
        if row.language == language:
            chunks, documents = round(row.chunk_weight, 3), round(row.document_weight, 3)  # float4 as it was given
            return {LEXICAL: round(1 - chunks - documents, 3), CHUNKS: chunks, DOCUMENTS: documents}
    return dict(UNMEASURED)


def share(found: float) -> float:
    """Give the share of the vectors from the part of made questions that they found, rounded to hundredths."""
    return round(MOST_SHARE * min(max((found - USELESS) / (GOOD - USELESS), 0.0), 1.0), 2)


def question_of(text: str, random: Random) -> str | None:
    """Make a question from a chunk's text: a sentence that is not its first, some words dropped; None without one."""
    scale = SYLLABLE_WEIGHT if detect(text) == "ko" else 1.0
    inner = [text[span.start : span.end] for span in sentences(text)[1:]]
    shortest, longest = SENTENCE_CHARS
    fitting = [each.split() for each in inner if shortest <= len(each) * scale <= longest and len(each.split()) > 3]
    if not fitting:
        return None
    words = random.choice(fitting)
    gone = set(random.sample(range(len(words)), max(1, int(len(words) * DROPPED))))
    return normalise(" ".join(word for place, word in enumerate(words) if place not in gone))


def trials_of(sample: Sequence[SampleChunk], random: Random) -> dict[Language, list[Trial]]:
    """Make the questions, by the language of their chunk; languages with too few are left out."""
    trials: defaultdict[Language, list[Trial]] = defaultdict(list)
    for chunk in sample:
        language = detect(chunk.text)
        if language not in MEASURED or len(trials[language]) == QUESTIONS:
            continue
        if (question := question_of(chunk.text, random)) is not None:
            trials[language].append(Trial(question, chunk.id, chunk.user_id))
    return {language: each for language, each in trials.items() if len(each) >= FEWEST}


async def measure_due(tools: Tools) -> None:
    """Measure what the serving vectors are worth, when that is not known, or the corpus has grown by half since.

    It happens in the background, by the embedder that the stage uses; whatever fails is tried again later.
    """
    if tools.embedder is None:
        return
    due = await tools.db.one(WeightsDue, "weights_due", label=tools.embedder.label)
    if due is None:
        return
    sample = await tools.db.many(SampleChunk, "sample_chunks", embedder=due.id, most=SAMPLE)
    trials = trials_of(sorted(sample, key=lambda chunk: chunk.id % 1009), Random(due.chunks))
    try:
        figures = {language: await _measured(tools, due, each) for language, each in trials.items()}
    except ModelError:  # the client has logged which; the next look tries again
        return
    for language in MEASURED:
        await _save(tools, due, language, figures.get(language))


@dataclass(frozen=True, slots=True)
class Figures:
    """Of so many made questions the part whose chunk each leg found among its first ten."""

    questions: int
    lexical: float
    chunks: float


async def _measured(tools: Tools, due: WeightsDue, trials: Sequence[Trial]) -> Figures:
    assert tools.embedder is not None
    vectors = await tools.embedder.embed([trial.question for trial in trials])
    words = near = 0
    for trial, vector in zip(trials, vectors, strict=True):
        mine, rows = Filters(trial.user_id), tools.settings.search.candidate_rows
        words += _has(trial, await search_lexical(tools.db, trial.question, mine, DEPTH, rows))
        near += _has(trial, await search_chunk_vectors(tools.db, sight(due.id, vector), mine, DEPTH))
    return Figures(len(trials), words / len(trials), near / len(trials))


def _has(trial: Trial, hits: Sequence[Ranked]) -> bool:
    return any(hit.chunk_id == trial.chunk_id for hit in hits)


async def _save(tools: Tools, due: WeightsDue, language: Language, figures: Figures | None) -> None:
    """Keep the shares; of a language without figures those that nobody measured, lest it be due for ever."""
    found = figures or Figures(0, 0.0, 0.0)
    whole = share(found.chunks) if figures else UNMEASURED[CHUNKS]
    documents = round(whole * DOCUMENT_PART, 3) if figures else 0.0
    await tools.db.none(
        "save_leg_weights",
        embedder=due.id,
        language=language,
        chunk_weight=round(whole - documents, 3),
        document_weight=documents,
        questions=found.questions,
        lexical_found=found.lexical,
        chunk_found=found.chunks,
        chunks=due.chunks,
    )
    log.info(
        Event.LEGS_MEASURED,
        language=language,
        questions=found.questions,
        lexical_found=round(found.lexical, 3),
        chunk_found=round(found.chunks, 3),
        share=whole,
    )
