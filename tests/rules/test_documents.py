"""Documents that are drawn from the code say what the code says."""

import re
from collections.abc import Iterator
from pathlib import Path

from db.jobs import FINAL, TRANSITIONS, Status
from services.kit.settings_doc import document

DOCS = Path(__file__).resolve().parents[2] / "docs"


def transition_table() -> str:
    """Draw the state machine as a Markdown table."""
    head = "| verb | from | to | who says it | what else changes |\n|---|---|---|---|---|\n"
    return head + "".join(
        f"| `{move.verb}` | `{move.before}` | `{move.after}` | {move.who} | {move.effect} |\n" for move in TRANSITIONS
    )


def transition_diagram() -> str:
    """Draw the state machine as a Mermaid diagram; verbs between the same states share an arrow."""
    return "\n".join(["```mermaid", "stateDiagram-v2", *diagram_lines(), "```\n"])


def diagram_lines() -> Iterator[str]:
    yield "    [*] --> pending: INSERT"
    verbs: dict[tuple[Status, Status], list[str]] = {}
    for move in TRANSITIONS:
        verbs.setdefault((move.before, move.after), []).append(move.verb)
    for (before, after), names in verbs.items():
        yield f"    {before} --> {after}: {', '.join(names)}"
    for status in Status:
        if status in FINAL:
            yield f"    {status} --> [*]"


def test_settings_document__is_the_generated_one() -> None:
    written = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert written == document(), "run: python -m services.kit.settings_doc > docs/settings.md"


def test_state_machine_document__has_the_table_and_the_diagram_of_the_code() -> None:
    text = (DOCS / "state-machine.md").read_text(encoding="utf-8")
    assert transition_table() in text, transition_table()
    assert transition_diagram() in text, transition_diagram()


def test_documents__link_to_files_that_exist() -> None:
    broken = [
        (path.name, target)
        for path in [*DOCS.glob("*.md"), *DOCS.parent.glob("*.md")]
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []
