"""The table of answers and evidence, `grounding_cases.tsv`, as rows.

`wanted` is what a careful reader would want, written down without looking at the program; `expected` what it finds.
They differ in the topic "what it cannot tell", so that the benchmark counts what is known to go wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("grounding_cases.tsv")
BETWEEN_PASSAGES = " ‖ "


@dataclass(frozen=True, slots=True)
class GroundingCase:
    """An answer, its passages, the question, whether a finding is wanted, and the codes that are found."""

    topic: str
    wanted: bool
    expected: tuple[str, ...]
    answer: str
    evidence: tuple[str, ...]
    question: str


def grounding_cases() -> Iterator[GroundingCase]:
    """Read the table; `\\n` in it is a line end."""
    for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        topic, wanted, expected, *texts = line.split("\t")
        answer, evidence, question = (text.replace("\\n", "\n") for text in texts)
        codes = tuple(expected.split(",")) if expected else ()
        yield GroundingCase(topic, wanted == "flag", codes, answer, tuple(evidence.split(BETWEEN_PASSAGES)), question)
