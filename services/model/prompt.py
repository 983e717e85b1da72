"""Prompts as files: one per model call, with a header that names its version, inputs and reply.

In: prompts/<name>.md, TOML between two lines `+++`, then parts under `## system`, `## user` (and `## assistant` for an
example), with `{{name}}` where an input goes. Out: who says what, in order. Refuses a file whose header and text do
not fit together, and a caller who does not give exactly the inputs.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.kit.errors import SettingsError

PROMPTS_DIR = Path(__file__).resolve().parents[2] / "prompts"
"""Beside `services` in a checkout and in an installed wheel alike."""

Speaker = Literal["system", "user", "assistant"]
Part = tuple[Speaker, str]

_FILE = re.compile(r"\A\+\+\+\n(?P<header>.*?)^\+\+\+$(?P<body>.*)\Z", re.DOTALL | re.MULTILINE)
_PART = re.compile(r"^## (system|user|assistant)[ \t]*$", re.MULTILINE)
_INPUT = re.compile(r"\{\{(\w+)\}\}")


class Header(BaseModel):
    """What a prompt says about itself.

    Attributes:
        version: stored with every result; a change of the text is a new version.
        reply: "text", or the pydantic shape of the JSON reply as `module:Class`.
        max_tokens: longest reply.
        role: whose model is asked; None leaves that to the caller.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(pattern=r"^[a-z_]+-\d+$")
    inputs: tuple[str, ...]
    reply: str = Field(pattern=r"^(text|[a-z_.]+:[A-Za-z]+)$")
    max_tokens: int = Field(ge=1)
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt that waits for its inputs."""

    name: str
    header: Header
    parts: tuple[Part, ...]

    @property
    def version(self) -> str:
        """What is stored with every result."""
        return self.header.version

    def fill(self, **values: object) -> tuple[Part, ...]:
        """Put values into their places; gives who says what, in order.

        Each is taken literally, so that `{{x}}` inside a value stays as it is.

        Raises:
            TypeError: an input is missing or not asked for.
        """
        if values.keys() != set(self.header.inputs):
            raise TypeError(f"prompts/{self.name}.md takes {self.header.inputs}, not {tuple(values)}")
        return tuple((who, _INPUT.sub(lambda found: str(values[found[1]]), text)) for who, text in self.parts)


@cache
def load_prompt(name: str) -> Prompt:
    """Read a prompt, once per process.

    Raises:
        SettingsError: there is no such file, or its header and text do not fit together; the sentence says why.
    """
    file = f"prompts/{name}.md"
    try:
        whole = _FILE.match((PROMPTS_DIR / f"{name}.md").read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}. It comes with the program.") from error
    if whole is None:
        raise SettingsError(f"{file} has no header: it must begin with TOML between two lines of +++.")
    try:
        header = Header.model_validate(tomllib.loads(whole["header"]))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise SettingsError(f"{file}: the header does not hold: {error}") from error
    parts = tuple(_parts(whole["body"]))
    if complaint := _complaint(name, header, parts):
        raise SettingsError(f"{file}: {complaint}.")
    return Prompt(name, header, parts)


def _parts(body: str) -> Iterator[Part]:
    _, *pieces = _PART.split(body)
    speakers: list[Speaker] = pieces[::2]  # type: ignore[assignment]  # the pattern knows no others
    for who, text in zip(speakers, pieces[1::2], strict=True):
        yield who, text.strip()


def _complaint(name: str, header: Header, parts: tuple[Part, ...]) -> str | None:
    """Say what does not fit together, or None."""
    text = "\n".join(each for _, each in parts)
    placed = set(_INPUT.findall(text))
    if header.version.rpartition("-")[0] != name:
        return f"the version is called {header.version}, not {name}-<number>"
    if not parts or parts[-1][0] != "user" or not all(each for _, each in parts):
        return "it needs parts that say something, and the last one must be ## user"
    if placed != set(header.inputs) or len(set(header.inputs)) != len(header.inputs):
        return f"the header names the inputs {sorted(header.inputs)}, the text has places for {sorted(placed)}"
    if "{{" in _INPUT.sub("", text):
        return "a place is not written as {{name}}"
    return None
