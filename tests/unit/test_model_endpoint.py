"""Which server and model stand behind a role."""

import pytest

from services.kit.errors import SettingsError
from services.kit.model_settings import ModelSettings, ModelsSettings
from services.model.endpoint import FOLLOWERS, Role, configured, endpoint_of, server_name

PRIMARY = ModelSettings(base_url="http://127.0.0.1:8080/v1", model="small")


@pytest.mark.parametrize("role", sorted(FOLLOWERS))
def test_endpoint__chat_roles_follow_primary(role: Role) -> None:
    found = endpoint_of(role, ModelsSettings(primary=PRIMARY), 1)
    assert found is not None
    assert (found.name, found.model, found.label) == ("http://127.0.0.1:8080", "small", "primary:small")


@pytest.mark.parametrize("role", [Role.EMBED, Role.RERANK, Role.FALLBACK])
def test_endpoint__other_roles_do_not(role: Role) -> None:
    assert endpoint_of(role, ModelsSettings(primary=PRIMARY), 1) is None


def test_endpoint__nothing_is_served_without_settings() -> None:
    assert [endpoint_of(role, ModelsSettings(), 1) for role in Role] == [None] * len(Role)


def test_endpoint__one_server_has_one_name_and_one_capacity() -> None:
    models = ModelsSettings(
        primary=ModelSettings(base_url="http://Host:1/v1/", capacity=3),
        triage=ModelSettings(base_url="http://host:1", capacity=2),
        deep=ModelSettings(base_url="http://other:1/v1"),
    )
    primary, triage, deep = (endpoint_of(role, models, 5) for role in (Role.PRIMARY, Role.TRIAGE, Role.DEEP))
    assert primary is not None
    assert triage is not None
    assert deep is not None
    assert (primary.name, primary.capacity) == (triage.name, triage.capacity) == ("http://host:1", 2)
    assert (deep.name, deep.capacity, deep.v1) == ("http://other:1", 5, "http://other:1/v1")
    assert configured(models) == [Role.PRIMARY, Role.TRIAGE, Role.DEEP]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        (" https://user:secret@Example.org/openai/v1/ ", "https://example.org/openai"),
        ("http://[::1]:11434/v1", "http://[::1]:11434"),
    ],
)
def test_server_name__is_the_same_however_it_is_written(given: str, name: str) -> None:
    assert server_name(given) == name


@pytest.mark.parametrize("given", ["localhost:8080", "ftp://host", "http://", ""])
def test_server_name__refuses_what_is_no_address(given: str) -> None:
    with pytest.raises(SettingsError, match="such as http"):
        server_name(given)
