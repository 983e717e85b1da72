"""Many pipes in, one stream out: one line per event, colours on a terminal, JSON when not.

`python -m services.printer api=5 ingest=7`: the numbers are file descriptors to read. Ends when all of them are closed.
"""

import json
import os
import selectors
import signal
import sys
from collections.abc import Callable, Mapping

import structlog

BLOCK = 65536
Render = Callable[[str, bytes], str]


class Lines:
    """Cuts what comes through a pipe into whole lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Give the lines that `data` completes; at the end of the pipe (no data) what is left."""
        whole, newline, rest = (self._rest + data).rpartition(b"\n")
        self._rest = rest if data else b""
        lines = whole.split(b"\n") if newline else []
        return [line for line in ([*lines, rest] if not data else lines) if line.strip()]


def read_event(process: str, line: bytes) -> dict[str, object]:
    """Read a line as an event; a line that is none of ours (Postgres, a traceback) becomes the event `output`."""
    text = line.decode(errors="replace")
    try:
        event = json.loads(text)
    except ValueError:
        event = None
    if isinstance(event, dict) and "event" in event:
        return {"process": process, **event}
    return {"process": process, "event": "output", "level": "info", "line": text.rstrip()}


def as_json(process: str, line: bytes) -> str:
    """Render a line for machines."""
    return json.dumps(read_event(process, line), ensure_ascii=False)


def as_console() -> Render:
    """Make a renderer for a person's terminal."""
    renderer = structlog.dev.ConsoleRenderer(pad_event_to=18, sort_keys=False)

    def render(process: str, line: bytes) -> str:
        event = read_event(process, line)
        event.pop("pid", None)
        said = event.pop("line", None)
        if said is not None:
            event["event"] = said
        event["event"] = f"{event.pop('process'):<11} {event['event']}"
        event["timestamp"] = str(event.get("timestamp", ""))[11:19]
        return str(renderer(None, "", event))

    return render


def print_all(pipes: Mapping[str, int], render: Render) -> None:
    """Print lines as they come, until every pipe is closed."""
    waiting = selectors.DefaultSelector()
    lines = {name: Lines() for name in pipes}
    for name, fd in pipes.items():
        waiting.register(fd, selectors.EVENT_READ, name)
    while waiting.get_map():
        for key, _ in waiting.select():
            data = os.read(key.fd, BLOCK)
            for line in lines[key.data].feed(data):
                print(render(key.data, line), flush=True)  # noqa: T201 - printing is what it is for
            if not data:
                waiting.unregister(key.fd)
                os.close(key.fd)


def main(arguments: list[str]) -> None:
    """Print the pipes that the arguments name; a Ctrl-C is for the others, whose last words are still to come."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pipes = {name: int(fd) for name, fd in (argument.split("=") for argument in arguments)}
    print_all(pipes, as_console() if sys.stdout.isatty() else as_json)


if __name__ == "__main__":
    main(sys.argv[1:])
