"""THE MAP: one line per daemon, in the order of the corridor.

file -> inbox -> ingest -> embed -> classify -> searchable          question -> asks -> synthesis -> cited answer
"""

from services.answer import ask
from services.document import classify, embed, ingest
from services.kit.stage import ANY_URGENCY, FOREGROUND, Stage
from services.tools import Tools

STAGES: tuple[Stage[Tools], ...] = (
    Stage("ingest", queue="inbox", run=ingest.run, then=("embed",)),
    Stage(
        "embed",
        queue="document_jobs",
        run=embed.run,
        then=("classify",),
        batch=16,
        prepare=embed.enqueue_outdated,
        upkeep=("fold_term_stats",),
    ),
    Stage("classify", queue="document_jobs", run=classify.run, batch=32),
    # The second lane takes only what a person waits for, so that no batch of questions stands before them.
    Stage("synthesis", queue="asks", run=ask.run, lanes=(ANY_URGENCY, FOREGROUND)),
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
