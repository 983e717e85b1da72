"""THE MAP: one line per daemon, in the order of the corridor.

file -> inbox -> ingest -> embed -> classify -> searchable          question -> asks -> synthesis -> cited answer
"""

from services.answer import row, telemetry
from services.document import classify, deep, digest, embed, ingest, life, ocr, vectors
from services.kit.stage import ANY_URGENCY, FOREGROUND, Stage
from services.search import analyze, weights
from services.study import analysis, explain, note
from services.tools import Tools

STAGES: tuple[Stage[Tools], ...] = (
    # Two lanes, so that the next file is parsed while the one before is saved.
    Stage(
        "ingest",
        queue="inbox",
        run=ingest.run,
        then=("embed",),
        lanes=(ANY_URGENCY, ANY_URGENCY),
        watch=life.purge_expired,
    ),
    Stage(
        "embed",
        queue="document_jobs",
        run=embed.run,
        then=("classify",),
        batch=16,
        prepare=embed.enqueue_outdated,
        upkeep=("fold_term_stats",),
    ),
    # Beside the corridor, like `ocr`: `embed` enqueues it where an embedder is set, and nothing waits for it.
    Stage(
        "vectors",
        queue="document_jobs",
        run=vectors.run,
        batch=16,
        prepare=vectors.enqueue_lacking,
        watch=weights.measure_due,
        upkeep=("serve_whole_embedder", "clear_retired_embedder"),
    ),
    # Pages that are pictures, beside the embedding of the others; what it reads is embedded once more.
    Stage("ocr", queue="document_jobs", run=ocr.run, prepare=ocr.enqueue_unread),
    # It enqueues `deep` itself, for some documents only.
    Stage("classify", queue="document_jobs", run=classify.run, batch_of=classify.batch_of),
    # A daemon of its own, so that a call of minutes holds up no triage; its second lane is a person's.
    Stage("deep", queue="document_jobs", run=deep.run, lanes=(ANY_URGENCY, FOREGROUND)),
    # By the clock, not by a document; also when it is drained by hand, hence `prepare`.
    Stage("digest", queue="digests", run=digest.run, prepare=digest.enqueue_due, watch=digest.enqueue_due),
    # Beside all: a search leaves its question here and goes on. One lane, so that no two analyses run at once.
    Stage("analyze", queue="query_analyses", run=analyze.run, watch=analyze.enqueue_frequent),
    # The question bank's: one call at a time, and a lane for the person who asks while that waits for its turn.
    Stage("explanation", queue="study_question_jobs", run=explain.run, lanes=(ANY_URGENCY, FOREGROUND)),
    # A person waits for a note; an analysis is ready before somebody looks.
    Stage("note", queue="study_topic_jobs", run=note.run, lanes=(ANY_URGENCY, FOREGROUND)),
    Stage("analysis", queue="study_quiz_jobs", run=analysis.run),
    # The second lane takes only what a person waits for, so that no batch of questions stands before them.
    Stage(
        "synthesis",
        queue="asks",
        run=row.run,
        lanes=(ANY_URGENCY, FOREGROUND),
        watch=telemetry.forget_old,
        called_off="cancelled_asks",
    ),
)


def stage_named(name: str) -> Stage[Tools]:
    """Find a stage by the word of the Procfile.

    Raises:
        KeyError: there is none; the message lists them.
    """
    for stage in STAGES:
        if stage.name == name:
            return stage
    raise KeyError(f"There is no stage {name!r}; the stages are {', '.join(stage.name for stage in STAGES)}.")
