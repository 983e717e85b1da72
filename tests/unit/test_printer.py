"""The printer: pipes in, one stream out."""

import json
import os

from services.printer import Lines, as_console, as_json, print_all, read_event


def test_lines__keeps_a_half_line_until_it_is_whole() -> None:
    lines = Lines()
    assert lines.feed(b"one\ntw") == [b"one"]
    assert lines.feed(b"o\n\nthree") == [b"two"]
    assert lines.feed(b"") == [b"three"]


def test_read_event__takes_what_is_no_event_as_output() -> None:
    assert read_event("postgres", b"LOG:  ready") == {
        "process": "postgres", "event": "output", "level": "info", "line": "LOG:  ready",
    }  # fmt: skip
    assert read_event("api", b"[1, 2]")["line"] == "[1, 2]"
    assert read_event("api", "깨진 \udcff".encode("utf-8", "surrogateescape"))["event"] == "output"


def test_as_json__is_one_value_with_the_process() -> None:
    line = as_json("embed", b'{"event": "job_ended", "job": 7}')
    assert json.loads(line) == {"process": "embed", "event": "job_ended", "job": 7}


def test_as_console__names_process_and_event() -> None:
    shown = as_console()(
        "embed", b'{"event": "job_ended", "job": 7, "level": "info", "timestamp": "2026-01-02T03:04:05Z"}'
    )
    assert "03:04:05" in shown
    assert "embed" in shown
    assert "job_ended" in shown


def test_print_all__ends_when_every_pipe_is_closed(capsys) -> None:  # type: ignore[no-untyped-def]
    pipes = {name: os.pipe() for name in ("a", "b")}
    for name, (_, write) in pipes.items():
        os.write(write, f'{{"event": "{name}_said"}}\n'.encode())
        os.close(write)
    print_all({name: read for name, (read, _) in pipes.items()}, as_json)
    assert {json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()} == {"a_said", "b_said"}
