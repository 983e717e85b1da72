"""Where settings come from, which source wins, and what a wrong one says."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from services.kit.errors import SettingsError
from services.kit.settings import CHECKOUT, Settings, load_settings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's: no variables, no .env, no seodang.toml."""
    for name in [name for name in os.environ if name.startswith("SEODANG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SEODANG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def toml(tmp_path: Path, text: str) -> None:
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home" / "seodang.toml").write_text(text, encoding="utf-8")


def test_defaults__are_those_of_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEODANG_HOME")
    settings = load_settings()
    assert settings.home == CHECKOUT / ".seodang"
    assert (settings.host, settings.port) == ("127.0.0.1", 8765)
    assert settings.database_url is None
    assert settings.inbox_dir == settings.home_dir / "inbox"
    assert (settings.gate.capacity, settings.gate.starvation_warn_s) == (1, 300)
    assert settings.queue.stale_s == 600


def test_environment__reaches_every_branch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEODANG_DATABASE_URL", "postgresql://u:secret@a,b/db")
    monkeypatch.setenv("SEODANG_PORT", "9000")
    monkeypatch.setenv("SEODANG_INBOX", str(tmp_path / "in"))
    monkeypatch.setenv("SEODANG_GATE__CAPACITY", "2")
    monkeypatch.setenv("SEODANG_MODELS__PRIMARY__BASE_URL", "http://model:1234/v1")
    monkeypatch.setenv("SEODANG_MODELS__EMBED__TIMEOUT_S", "5.5")
    settings = load_settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://u:secret@a,b/db"
    assert "secret" not in repr(settings)
    assert (settings.port, settings.gate.capacity, settings.inbox_dir) == (9000, 2, tmp_path / "in")
    assert settings.models.primary.base_url == "http://model:1234/v1"
    assert settings.models.embed.timeout_s == 5.5


def test_sources__win_in_the_order_environment_dotenv_toml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    toml(tmp_path, "port = 1001\nhost = '10.0.0.1'\nlog_level = 'debug'\n[queue]\nlook_s = 1.5\n")
    (tmp_path / ".env").write_text("SEODANG_PORT=1002\nSEODANG_HOST=10.0.0.2\nUNRELATED=1\n")
    monkeypatch.setenv("SEODANG_PORT", "1003")
    settings = load_settings()
    assert (settings.port, settings.host, settings.log_level, settings.queue.look_s) == (1003, "10.0.0.2", "debug", 1.5)
    assert load_settings(port=1004).port == 1004


def test_toml__may_replace_the_folder_rules(tmp_path: Path) -> None:
    toml(tmp_path, "[[ingest.rules]]\npattern = '법령/**'\nmaterial_type = 'law'\njurisdiction = 'KR'\n")
    (rule,) = load_settings().ingest.rules
    assert (rule.pattern, rule.material_type, rule.restricted) == ("법령/**", "law", False)


def test_shipped_rules__are_the_four_folders() -> None:
    rules = {rule.pattern: rule for rule in load_settings().ingest.rules}
    assert list(rules) == ["Books/**", "Papers_Purchased/**", "Manuals/**", "KGS/**"]
    assert [rule.restricted for rule in rules.values()] == [True, True, False, False]
    kgs = rules["KGS/**"]
    assert (kgs.material_type, kgs.jurisdiction, kgs.license) == ("law", "KR", "kogl")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SEODANG_PORT", "0"),
        ("SEODANG_PORT", "65536"),
        ("SEODANG_GATE__CAPACITY", "0"),
        ("SEODANG_QUEUE__LOOK_S", "0"),
        ("SEODANG_QUEUE__GRACE_S", "soon"),
        ("SEODANG_LOG_LEVEL", "loud"),
    ],
)
def test_wrong_value__is_refused_by_the_name_of_its_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name}: Input should be"):
        load_settings()


def test_unknown_name__in_a_branch_is_refused(tmp_path: Path) -> None:
    toml(tmp_path, "[queue]\nlook_ms = 5\n")
    with pytest.raises(SettingsError, match="SEODANG_QUEUE__LOOK_MS: Extra inputs are not permitted"):
        load_settings()


def test_toml__that_cannot_be_read_says_so(tmp_path: Path) -> None:
    toml(tmp_path, "port = = 1")
    with pytest.raises(SettingsError, match=r"seodang\.toml cannot be read"):
        load_settings()


def test_settings__are_frozen() -> None:
    settings = load_settings()
    for part, name in ((settings, "port"), (settings.queue, "look_s")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(part, name, 1)


def leaves(part: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in part.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from leaves(type(field.default))
        else:
            yield f"{part.__name__}.{name}", field


def test_every_setting__is_described_and_carries_its_unit() -> None:
    for name, field in leaves(Settings):
        assert field.description, name
        if field.annotation is float:
            assert name.endswith(("_s", "_share")), name
