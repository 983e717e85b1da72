"""The models that help a search, as one value: what is not there is left out, and the search goes on without it."""

from dataclasses import dataclass

from db.gate import Priority
from services.kit.settings import SearchSettings
from services.model.client import ModelClient
from services.model.endpoint import Role


@dataclass(frozen=True, slots=True)
class Helpers:
    """The door to the models, None where this process calls none; `priority` is of whoever waits for the hits.

    `rewrite` asks for a search in other words, too.
    """

    models: ModelClient | None = None
    priority: Priority = Priority.FOREGROUND
    rewrite: bool = False

    @property
    def embedder(self) -> ModelClient | None:
        """The door, where an embedder is served."""
        return self.models if self.models is not None and self.models.endpoint(Role.EMBED) is not None else None

    def reranks(self, settings: SearchSettings) -> bool:
        """Say whether a reranker is served and wanted."""
        return settings.rerank and self.models is not None and self.models.endpoint(Role.RERANK) is not None


ALONE = Helpers()
"""Nothing helps: words alone."""
