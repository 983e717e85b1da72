"""Prompt files: what is read, what is filled in, and a sentence for each thing that does not fit."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.kit.errors import SettingsError
from services.model import prompt as module
from services.model.prompt import Prompt, load_prompt

HEADER = 'version = "ask-2"\ninputs = ["name", "most"]\nreply = "text"\nmax_tokens = 20'
BODY = "## system\n\nBe brief: {{most}} words.\n\n## Not a part\n\n## user\n\nGreet {{name}}.\n"

Write = Callable[..., Prompt]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write prompts/ask.md and read it."""
    monkeypatch.setattr(module, "PROMPTS_DIR", tmp_path)

    def written(header: str = HEADER, body: str = BODY, whole: str | None = None) -> Prompt:
        text = f"+++\n{header}\n+++\n\n{body}" if whole is None else whole
        (tmp_path / "ask.md").write_text(text, encoding="utf-8")
        return load_prompt.__wrapped__("ask")

    return written


def test_prompt__has_a_header_and_parts_in_order(write: Write) -> None:
    prompt = write()
    assert (prompt.name, prompt.version, prompt.header.max_tokens, prompt.header.role) == ("ask", "ask-2", 20, None)
    assert prompt.parts == (
        ("system", "Be brief: {{most}} words.\n\n## Not a part"),
        ("user", "Greet {{name}}."),
    )


def test_fill__puts_each_value_into_its_place(write: Write) -> None:
    assert write().fill(name="김철수", most=3) == (
        ("system", "Be brief: 3 words.\n\n## Not a part"),
        ("user", "Greet 김철수."),
    )


@pytest.mark.parametrize("value", ["{{most}}", r"\g<0> \1", "## user", "+++", "{{name}}"])
def test_fill__takes_a_value_literally(write: Write, value: str) -> None:
    assert write().fill(name=value, most=3)[1:] == (("user", f"Greet {value}."),)


@pytest.mark.parametrize("values", [{}, {"name": "A"}, {"name": "A", "most": 1, "least": 0}])
def test_fill__refuses_other_inputs_than_the_headers(write: Write, values: dict[str, str]) -> None:
    with pytest.raises(TypeError, match=r"prompts/ask\.md takes \('name', 'most'\), not"):
        write().fill(**values)


def test_prompt__may_show_an_example_and_json(write: Write) -> None:
    body = '## user\nA\n## assistant\n{"a": {"b": 1}}\n## user\n{{name}} {{most}}'
    assert [who for who, _ in write(body=body).parts] == ["user", "assistant", "user"]


@pytest.mark.parametrize(
    ("header", "body", "complaint"),
    [
        (HEADER.replace("ask-2", "answer-2"), BODY, "the version is called answer-2, not ask-<number>"),
        (HEADER.replace("ask-2", "second"), BODY, "the header does not hold: .*version"),
        (HEADER + "\ntemperature = 1", BODY, "the header does not hold: .*temperature"),
        (HEADER.replace('"text"', '"json"'), BODY, "the header does not hold: .*reply"),
        (HEADER.replace("20", "0"), BODY, "the header does not hold: .*max_tokens"),
        (HEADER.replace("20", ""), BODY, "the header does not hold: "),
        (HEADER, BODY.replace("{{most}}", "few"), r"inputs \['most', 'name'\], the text has places for \['name'\]"),
        (HEADER, BODY.replace("few", "{{few}}") + "{{few}}", "the text has places for .*few"),
        (HEADER, BODY + "{{ name }}", "a place is not written as"),
        (HEADER, BODY.replace("## user", "user:"), "the last one must be ## user"),
        (HEADER, BODY + "## system\nLate.", "the last one must be ## user"),
        (HEADER, BODY + "## user\n", "parts that say something"),
        (HEADER, "Greet {{name}} {{most}}.", "it needs parts"),
    ],
)
def test_prompt__whose_header_and_text_do_not_fit_is_refused(
    write: Write, header: str, body: str, complaint: str
) -> None:
    with pytest.raises(SettingsError, match=f"(?s)ask.md: .*{complaint}"):
        write(header, body)


def test_prompt__without_header_or_file_is_refused(write: Write) -> None:
    with pytest.raises(SettingsError, match=r"prompts/ask\.md has no header"):
        write(whole="## user\n\nHello.")
    with pytest.raises(SettingsError, match=r"prompts/none\.md cannot be read: No such file"):
        load_prompt.__wrapped__("none")


def test_prompt__is_read_once() -> None:
    assert load_prompt("probe") is load_prompt("probe")
