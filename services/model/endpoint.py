"""Which server and model stand behind a role: pure, from the settings.

Endpoints are told apart by their base URL: two roles with one base URL share a server, and so its gate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from services.kit.errors import SettingsError
from services.kit.model_settings import JsonMode, ModelSettings, ModelsSettings


class Role(StrEnum):
    """What a call is for; the words of the settings."""

    PRIMARY = "primary"
    TRIAGE = "triage"
    ANALYZER = "analyzer"
    EVIDENCE = "evidence"
    CLASSIFIER = "classifier"
    VERIFIER = "verifier"
    DEEP = "deep"
    EMBED = "embed"
    RERANK = "rerank"
    OCR = "ocr"
    FALLBACK = "fallback"


FOLLOWERS = frozenset({Role.TRIAGE, Role.ANALYZER, Role.EVIDENCE, Role.CLASSIFIER, Role.VERIFIER, Role.DEEP})
"""Chat roles that are served by `primary` where they name no server of their own."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A served model.

    Attributes:
        role: the role whose settings these are; a role that follows `primary` has `primary` here.
        name: the base URL without `/v1`, as the gate and the status show it.
        model: exactly as the server lists it; None leaves the choice to the server.
        timeout_s: limit of one call, counted from the moment the gate lets it in.
        capacity: calls in flight at this base URL, over all processes and hosts.
        context_tokens: what the model takes, prompt and reply together; None: not known.
        json_mode: how the server is asked for JSON.
        thinking: False asks the server not to reason before a JSON reply; None leaves it to the server.
    """

    role: Role
    name: str
    model: str | None
    api_key: SecretStr | None
    timeout_s: float
    capacity: int
    context_tokens: int | None = None
    json_mode: JsonMode = "prompt"
    thinking: bool | None = None

    @property
    def v1(self) -> str:
        """The address that routes such as `/chat/completions` are appended to."""
        return f"{self.name}/v1"

    @property
    def label(self) -> str:
        """Names role and model with every stored result (Z14)."""
        return f"{self.role}:{self.model or 'default'}"


def endpoint_of(role: Role, models: ModelsSettings, capacity: int) -> Endpoint | None:
    """Find what serves a role; None where nothing does.

    Args:
        capacity: `gate.capacity`, for endpoints that name none of their own.
    Raises:
        SettingsError: the base URL is none.
    """
    settings: ModelSettings = getattr(models, role)
    if settings.base_url is None:
        return endpoint_of(Role.PRIMARY, models, capacity) if role in FOLLOWERS else None
    name = server_name(settings.base_url)
    shared = [same.capacity for same in _at(name, models) if same.capacity is not None]
    return Endpoint(
        role,
        name,
        settings.model,
        settings.api_key,
        settings.timeout_s,
        # One server has one capacity, whoever names it: the least, since more would be more than somebody allowed.
        min(shared, default=capacity),
        settings.context_tokens,
        settings.json_mode,
        settings.thinking,
    )


def configured(models: ModelsSettings) -> list[Role]:
    """List the roles that name a server of their own."""
    return [role for role in Role if getattr(models, role).base_url is not None]


def servers(models: ModelsSettings, capacity: int) -> dict[str, int]:
    """List the servers of the settings by name, with how many calls each takes at once."""
    found = (endpoint_of(role, models, capacity) for role in configured(models))
    return {endpoint.name: endpoint.capacity for endpoint in found if endpoint is not None}


def _at(name: str, models: ModelsSettings) -> Iterator[ModelSettings]:
    for role in configured(models):
        settings: ModelSettings = getattr(models, role)
        if server_name(settings.base_url or "") == name:
            yield settings


def server_name(base_url: str) -> str:
    """Bring a base URL to the one form by which servers are told apart: no `/v1`, no slash, no password.

    Raises:
        SettingsError: it is no http or https address.
    """
    parts = urlsplit(base_url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(f"{base_url!r} is no address of a model server: give one such as http://127.0.0.1:8080/v1")
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2].lower(), path, "", ""))
