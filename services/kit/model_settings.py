"""The knobs of the model servers and of the gate in front of them."""

from typing import Literal

from pydantic import Field, SecretStr

from services.kit.setting_part import Count, Part, Seconds

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
    ocr: ModelSettings = ModelSettings()
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
