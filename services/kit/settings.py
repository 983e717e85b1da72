"""Every knob, one frozen tree, read once per process.

Sources, the first that names a value wins: the environment (`SEODANG_…`, nested by `__`), `.env` in the working
directory, `$SEODANG_HOME/seodang.toml`, the defaults below. docs/settings.md is generated from this file.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from services.kit.errors import SettingsError

CHECKOUT = Path(__file__).resolve().parents[2]
MIB = 1024 * 1024

Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Part(BaseModel):
    """A branch of the tree."""

    model_config = ConfigDict(frozen=True, extra="forbid")


JsonMode = Literal["prompt", "json_object", "json_schema"]


class ModelSettings(Part):
    """Where one role's model is served."""

    base_url: str | None = Field(
        None, pattern=r"^https?://[^/\s]", description="An OpenAI-compatible server, with or without `/v1`."
    )
    model: str | None = Field(None, description="The model's name exactly as the server lists it.")
    api_key: SecretStr | None = Field(None, description="Sent as a bearer token.")
    timeout_s: Seconds = Field(300.0, description="Limit of one call, counted from the moment the gate lets it in.")
    capacity: Count | None = Field(None, description="Calls in flight at this endpoint; `gate.capacity` when unset.")
    context_tokens: Count | None = Field(
        None, description="Prompt and reply together; a longer prompt is cut or refused before the call."
    )
    json_mode: JsonMode = Field(
        "prompt",
        description="How JSON is asked for; `prompt` suits every server, `json_schema` those that keep to a schema.",
    )
    thinking: bool | None = Field(
        None, description="`false` asks the server not to reason before a JSON reply (`enable_thinking`)."
    )


class ModelsSettings(Part):
    """One endpoint per role; chat roles left out follow `primary`."""

    primary: ModelSettings = ModelSettings()
    triage: ModelSettings = ModelSettings()
    analyzer: ModelSettings = ModelSettings()
    evidence: ModelSettings = ModelSettings()
    classifier: ModelSettings = ModelSettings()
    verifier: ModelSettings = ModelSettings()
    deep: ModelSettings = ModelSettings()
    embed: ModelSettings = ModelSettings()
    rerank: ModelSettings = ModelSettings()
    fallback: ModelSettings = ModelSettings()


class CallSettings(Part):
    """How the model servers are called."""

    connect_s: Seconds = Field(10.0, description="Time for the connection to a model server.")
    attempts: Count = Field(3, description="Tries of one call where a second cannot do harm, all at one turn.")
    backoff_s: Seconds = Field(0.5, description="Pause before the second try; it doubles, with jitter.")
    breaker_failures: Count = Field(5, description="So many failures in a row stop the calls of a role.")
    breaker_open_s: Seconds = Field(60.0, description="For so long; then one call probes.")
    embed_batch: Count = Field(32, description="Texts in one embeddings request (the limit of TEI as it ships).")
    rerank_batch: Count = Field(32, description="Texts in one rerank request (the same).")


class GateSettings(Part):
    """The priority gate in front of the model."""

    capacity: Count = Field(1, description="Calls in flight per endpoint, over all processes and hosts.")
    starvation_warn_s: Seconds = Field(300.0, description="A background waiter over this is warned about.")
    slice_s: Seconds = Field(
        15.0, description="A waiter renews its wait this often, so that vacuum is not held back (docs/gate.md)."
    )


class QueueSettings(Part):
    """The job machinery."""

    look_s: Seconds = Field(5.0, description="How often a daemon looks at its queue without being notified.")
    watch_s: Seconds = Field(0.5, description="How often a daemon looks for dead workers and put-off rows.")
    grace_s: Seconds = Field(7.0, description="After SIGTERM: time to finish the row in hand before it is given back.")
    stale_s: Seconds = Field(
        600.0, description="A `processing` row without a worker's number is given back after this (ten minutes)."
    )
    max_crashes: Count = Field(10, description="A row in hand at this many crashes of its worker is ended as failed.")
    retry_after_s: Seconds = Field(2.0, description="Pause before a failed attempt is repeated.")
    archive_after_days: int = Field(
        0, ge=0, description="Finished rows older than this move to `queue_archive`; 0 keeps them where they are."
    )


class FolderRule(Part):
    """What a file's place in the watched folder says about it."""

    pattern: str = Field(description="Glob against the path below the watched folder, `**` spans folders.")
    material_type: str | None = Field(None, description="Written to the document; never overwritten by a guess.")
    jurisdiction: str | None = Field(None, description="As above.")
    collection: str | None = Field(None, description="As above.")
    license: str | None = Field(None, description="Name of the licence, kept in `extract_meta.license.name`.")
    restricted: bool = Field(False, description="May be found and opened by its owner, is never quoted in an answer.")


SHIPPED_RULES = (
    FolderRule(pattern="Books/**", material_type="book", restricted=True),
    FolderRule(pattern="Papers_Purchased/**", material_type="paper", restricted=True),
    FolderRule(pattern="Manuals/**", material_type="manual"),
    FolderRule(pattern="KGS/**", material_type="law", jurisdiction="KR", license="kogl"),
)


class IngestSettings(Part):
    """From a file to pages."""

    rules: tuple[FolderRule, ...] = Field(SHIPPED_RULES, description="Folder rules; the first that fits is used.")
    stable_s: Seconds = Field(1.0, description="A watched file is taken when it has not changed for so long.")
    rescan_s: Seconds = Field(60.0, description="How often the watched folder is compared as a whole.")
    max_file_mib: Count = Field(200, description="A larger file ends as `too_large`.")
    memory_mib: Count = Field(1024, description="Memory of the process that parses one file.")
    parse_limit_s: Seconds = Field(120.0, description="Time for parsing one file.")
    max_unpacked_mib: Count = Field(1024, description="Unpacked size of a zip-based file.")
    max_text_chars: Count = Field(100_000_000, description="Text of one document.")


class EmbedSettings(Part):
    """From pages to chunks that can be found."""

    chunk_chars: Count = Field(1200, description="A chunk is at most so long (measured: services/text/chunks.py).")


class SearchSettings(Part):
    """From a question to ranked chunks."""

    limit: Count = Field(10, description="Hits given when the caller names no number.")
    max_limit: Count = Field(100, description="More hits are not given.")
    max_query_chars: Count = Field(4000, description="A longer question is refused with a sentence.")
    candidate_rows: Count = Field(
        8000, description="Rarest terms first until so many chunks are candidates (98.5 % of the full order)."
    )


class AnswerSettings(Part):
    """From ranked chunks to an answer."""

    max_chars: Count = Field(600, description="No answer is longer.")
    evidence: Count = Field(5, description="Chunks that are looked at for one answer.")
    wait_s: Seconds = Field(120.0, description="How long `POST /api/search/ask` waits before it answers 202.")
    heartbeat_s: Seconds = Field(10.0, description="A comment line is sent on a silent event stream this often.")


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
    embed: EmbedSettings = EmbedSettings()
    search: SearchSettings = SearchSettings()
    answer: AnswerSettings = AnswerSettings()
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
        lines = (f"SEODANG_{'__'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in error.errors())
        raise SettingsError("; ".join(lines)) from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"seodang.toml cannot be read: {error}") from error
