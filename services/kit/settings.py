"""Every knob, one frozen tree, read once per process.

Sources, the first that names a value wins: the environment (`SEODANG_…`, nested by `__`), `.env` in the working
directory, `$SEODANG_HOME/seodang.toml`, the defaults below. docs/settings.md is generated from this file.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from services.kit.answer_settings import AnswerSettings
from services.kit.document_settings import (
    ClassifySettings,
    DigestSettings,
    DocumentSettings,
    EmbedSettings,
    IngestSettings,
    OcrSettings,
)
from services.kit.errors import SettingsError
from services.kit.model_settings import CallSettings, GateSettings, ModelsSettings
from services.kit.problem import words_of
from services.kit.review_settings import ReviewSettings
from services.kit.setting_part import Count, Part, Seconds
from services.kit.study_settings import StudySettings

CHECKOUT = Path(__file__).resolve().parents[2]
MIB = 1024 * 1024


class QueueSettings(Part):
    """The job machinery."""

    look_s: Seconds = Field(5.0, description="How often a daemon looks at its queue without being notified.")
    watch_s: Seconds = Field(0.5, description="How often a daemon looks for dead workers and put-off rows.")
    grace_s: Seconds = Field(7.0, description="After SIGTERM: time to finish the row in hand before it is given back.")
    stale_s: Seconds = Field(
        600.0, description="A `processing` row without a worker's number is given back after this (ten minutes)."
    )
    max_crashes: Count = Field(10, description="A row in hand at this many crashes of its worker is ended as failed.")
    late_s: Seconds = Field(
        600.0, description="A stage whose oldest row has waited, or been worked on, for so long is marked (P12)."
    )
    retry_after_s: Seconds = Field(2.0, description="Pause before a failed attempt is repeated.")
    archive_after_days: int = Field(
        0, ge=0, description="Finished rows older than this move to `queue_archive`; 0 keeps them where they are."
    )


class SearchSettings(Part):
    """From a question to ranked chunks."""

    limit: Count = Field(10, description="Hits given when the caller names no number.")
    max_limit: Count = Field(100, description="More hits are not given.")
    max_query_chars: Count = Field(4000, description="A longer question is refused with a sentence.")
    candidate_rows: Count = Field(2000, description="Rarest terms first until so many chunks are candidates.")
    leg_hits: Count = Field(50, description="Hits of each leg that are fused, where vectors are searched, too.")
    fusion: Literal["score", "rank"] = Field(
        "score", description="How the legs are fused: by their scores' shares of the best, or by reciprocal rank."
    )
    rank_k: Count = Field(60, description="Constant of the fusion by rank.")
    embed_wait_s: Seconds = Field(
        1.5, description="A search waits so long for the question's vector, the gate included; then words alone count."
    )
    analyze: bool = Field(
        True, description="Questions are analysed in the background where a server is set; no search waits for it."
    )
    analyze_limit_s: Seconds = Field(15.0, description="Limit of one analysis, counted inside the gate (Q11).")
    analyzed_share: float = Field(
        0.85, ge=0, le=1, description="An analysis is used where the model is so sure of it or surer (Q03)."
    )
    analyses_waiting: Count = Field(200, description="Questions that wait for analysis; further ones are not enqueued.")
    analyze_again_s: Seconds = Field(
        600.0, description="A question of whose analysis nothing came is not enqueued again for so long."
    )
    prewarmed: int = Field(15, ge=0, description="Most frequent questions that are analysed anew once expired (P05).")
    cache_ttl_s: Seconds = Field(86_400.0, description="How long what a model said of a question is used (a day).")
    cache_rows: Count = Field(10_000, description="Entries of that cache in the database; the oldest go.")
    cache_front: Count = Field(500, description="Entries that a process keeps in memory in front of it (C06).")
    multilingual_types: tuple[str, ...] | None = Field(
        None, description="Material types that are also searched in the other language, as a JSON list; unset: all."
    )
    rewrite: bool = Field(False, description="Every question is searched in other words, too, as if asked for.")
    rewrite_variants: int = Field(3, ge=1, le=8, description="Rewordings of one question.")
    rewrite_limit_s: Seconds = Field(
        30.0,
        description="Limit of one rewriting, counted inside the gate; over it the question is searched as it is.",
    )
    variant_hits: Count = Field(50, description="Hits of each variant of a question (P05).")
    variants_cap: Count = Field(60, description="Hits that are left of all variants together (P05).")
    rerank: bool = Field(True, description="The model of `models.rerank` orders the hits, where one is set.")
    rerank_input: Count = Field(200, description="Hits that it is shown (P05).")
    rerank_per_document: Count = Field(2, description="Hits of one document that go before those of others (P05).")
    rerank_chars: Count = Field(2000, description="Text of one hit that it is shown, the title included.")
    rerank_wait_s: Seconds = Field(
        3.0, description="A search waits so long for it, the gate included; then the hits stay in their order."
    )
    freshness: dict[str, Seconds] = Field(
        {}, description='Material types that age: days after which half of the boost is left, as `{"news": 90}`.'
    )
    freshness_share: float = Field(0.05, ge=0, le=1, description="Share by which the score of one of today is raised.")
    type_boost: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        {}, description='Shares by which the scores of material types are raised, as `{"law": 0.01}`; 0.03 hurt (P05).'
    )
    most_boost_share: float = Field(0.05, ge=0, le=1, description="All boosts of one hit together: at most this (P05).")


class WebSettings(Part):
    """The HTTP process."""

    max_upload_mib: Count = Field(200, description="A larger upload is refused with 413.")


class Settings(BaseSettings):
    """The whole tree; frozen, passed as a value."""

    model_config = SettingsConfigDict(
        env_prefix="SEODANG_",
        env_nested_delimiter="__",
        env_file=".env",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
    )

    home: Path = Field(
        CHECKOUT / ".seodang", description="Data directory: embedded Postgres, logs, the watched folder."
    )
    database_url: SecretStr | None = Field(
        None, description="A Postgres 15+ with pgvector 0.7+; several hosts are allowed. Unset: the embedded one."
    )
    host: str = Field("127.0.0.1", description="Where the web listens; another than loopback requires sign-in.")
    port: int = Field(8765, ge=1, le=65535, description="Port of the web.")
    inbox: Path | None = Field(None, description="The watched folder; `$SEODANG_HOME/inbox` when unset.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: colours on a terminal, else JSON."
    )
    models: ModelsSettings = ModelsSettings()
    calls: CallSettings = CallSettings()
    gate: GateSettings = GateSettings()
    queue: QueueSettings = QueueSettings()
    ingest: IngestSettings = IngestSettings()
    ocr: OcrSettings = OcrSettings()
    embed: EmbedSettings = EmbedSettings()
    classify: ClassifySettings = ClassifySettings()
    digest: DigestSettings = DigestSettings()
    documents: DocumentSettings = DocumentSettings()
    search: SearchSettings = SearchSettings()
    answer: AnswerSettings = AnswerSettings()
    study: StudySettings = StudySettings()
    review: ReviewSettings = ReviewSettings()
    web: WebSettings = WebSettings()

    @property
    def inbox_dir(self) -> Path:
        """The watched folder, as an absolute path."""
        return (self.inbox or self.home / "inbox").expanduser().resolve()

    @property
    def home_dir(self) -> Path:
        """The data directory, as an absolute path."""
        return self.home.expanduser().resolve()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add the TOML file of the data directory behind the environment."""
        home = Path(os.environ.get("SEODANG_HOME", CHECKOUT / ".seodang")).expanduser()
        toml = TomlConfigSettingsSource(settings_cls, home / "seodang.toml")
        return init_settings, env_settings, dotenv_settings, toml


def load_settings(**given: object) -> Settings:
    """Read the settings of this process.

    Raises:
        SettingsError: a value does not fit; the message names the variable.
    """
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = (f"SEODANG_{'__'.join(str(p) for p in e['loc']).upper()}: {words_of(e)}" for e in error.errors())
        raise SettingsError("; ".join(lines)) from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"seodang.toml cannot be read: {error}") from error
