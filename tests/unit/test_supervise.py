"""The supervisor's configuration out of the Procfile."""

import configparser
import sys
from pathlib import Path

import pytest

from db.server import EmbeddedServer
from services.kit.errors import SettingsError
from services.stages import STAGES
from services.supervise import Program, configuration, read_procfile


def test_procfile__has_a_line_for_every_stage_in_the_order_of_the_map() -> None:
    names = [program.name for program in read_procfile()]
    assert names == ["api", "watch", *(stage.name for stage in STAGES)]


def test_read_procfile__runs_this_interpreter(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_text("# comment\n\none: python -m services.one 'a b'\n")
    assert read_procfile(path) == [Program("one", f"{sys.executable} -m services.one 'a b'")]


@pytest.mark.parametrize("line", ["no colon", "bad name: x", "empty:"])
def test_read_procfile__refuses_a_line_of_another_form(tmp_path: Path, line: str) -> None:
    path = tmp_path / "Procfile"
    path.write_text(line)
    with pytest.raises(SettingsError, match="name: command"):
        read_procfile(path)


@pytest.mark.parametrize("embedded", [True, False])
def test_configuration__postgres_starts_first_and_stops_last(tmp_path: Path, embedded: bool) -> None:
    programs = [Program("api", "x %d"), Program("embed", "y")]
    pipes = {"supervisor": 3, "postgres": 4, "api": 5, "embed": 6}
    config = configparser.RawConfigParser()
    config.read_string(configuration(programs, pipes, EmbeddedServer(tmp_path), embedded))
    assert config.has_section("program:postgres") is embedded
    assert config["group:seodang"]["programs"] == "api,embed"
    assert config["program:api"]["command"] == "x %%d"
    if embedded:
        assert int(config["program:postgres"]["priority"]) < int(config["group:seodang"]["priority"])
        assert config["program:postgres"]["stopsignal"] == "INT"
