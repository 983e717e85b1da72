"""How well and how fast the numbers of answers are checked: precision and recall on the table of tests, and speed.

    python -m bench.grounding [--repeat 5] [--json FILE] [--markdown FILE]

The table (tests/fakes/grounding_cases.tsv) has an answer, its passages, and whether a careful reader wants a finding.
Most of it was written to be met, and the tests hold it; what is known to go wrong stands in the topic "what it cannot
tell", so that precision and recall are not those of a list of successes. They are no estimate for real answers either.

    wanted, found   cases where a finding is wanted, where there is one
    precision       share of the found that are wanted
    recall          share of the wanted that are found

Speed is measured on passages made of the table's own texts: nothing remembered (cold), and with the passages remembered
from an earlier answer (warm). Plain ones have a number in every 100 characters, as text of encyclopedias has (12 to 17
in 1,500 in the sets of the evaluation); dense ones have one in 13.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle
from pathlib import Path

from bench.machine import describe
from bench.queue_report import aligned, markdown
from services.answer.evidence_numbers import numbers_of, spaced_text
from services.answer.grounding import check_numbers
from services.text.quantities import quantities_of, read_quantities
from tests.fakes.grounding_cases import GroundingCase, grounding_cases

PASSAGES, PASSAGE_CHARS, ANSWER_CHARS = 5, 1500, 600
"""The evidence and the longest answer of one ask."""
REST = "그 밖의 사항은 담당자가 따로 정하여 알리고, 바뀐 것은 다시 적어 둔다. "
FILLERS = {"plain": REST + "Whatever is not settled here is settled by those who run the place. ", "dense": ""}
TOPIC_HEAD = ("topic", "cases", "wanted", "found", "precision", "recall")
SPEED_HEAD = ("passages", "numbers in 1,500", "characters/s", "ask cold ms", "ask warm ms")


@dataclass(frozen=True, slots=True)
class Judged:
    """A case and whether anything was found."""

    case: GroundingCase
    found: bool


def judge() -> list[Judged]:
    """Check every case of the table."""
    return [Judged(case, bool(check_numbers(case.answer, case.evidence, case.question))) for case in grounding_cases()]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic's cases: how many, where a finding is wanted, where there is one, and where both hold."""

    topic: str
    cases: int
    wanted: int
    found: int
    wanted_and_found: int

    @property
    def row(self) -> tuple[str, ...]:
        """Give the line of the table: cases, wanted, found, precision, recall."""
        shares = (f"{self.wanted_and_found / whole:.3f}" if whole else "-" for whole in (self.found, self.wanted))
        return (self.topic, str(self.cases), str(self.wanted), str(self.found), *shares)


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast numbers are read, and how long the check of one answer takes, by how many numbers the passages have."""

    passages: str
    numbers_in_1500_chars: float
    chars_s: float
    ask_cold_ms: float
    ask_warm_ms: float

    @property
    def row(self) -> tuple[str, ...]:
        """Give the line of the table."""
        numbers, chars = f"{self.numbers_in_1500_chars:.0f}", f"{self.chars_s:,.0f}"
        return (self.passages, numbers, chars, f"{self.ask_cold_ms:.2f}", f"{self.ask_warm_ms:.2f}")


def counted(topic: str, judged: Sequence[Judged]) -> Topic:
    """Count a topic's cases."""
    wanted = sum(each.case.wanted for each in judged)
    found = sum(each.found for each in judged)
    return Topic(topic, len(judged), wanted, found, sum(each.found and each.case.wanted for each in judged))


def topics(judged: Sequence[Judged]) -> list[Topic]:
    """Count the cases of every topic, and at the end of all."""
    names = dict.fromkeys(each.case.topic for each in judged)
    return [
        *(counted(name, [each for each in judged if each.case.topic == name]) for name in names),
        counted("all", judged),
    ]


def passages(count: int, chars: int, filler: str) -> list[str]:
    """Make passages of the table's texts with text without numbers between, each different."""
    texts = cycle([f"{case.evidence[0]} {filler}" for case in grounding_cases()])
    made = []
    for _ in range(count):
        passage = ""
        while len(passage) < chars:
            passage += " " + next(texts)
        made.append(passage[:chars])
    return made


def forget() -> None:
    """Empty what is remembered of former texts."""
    for remembered in (quantities_of, numbers_of, spaced_text):
        remembered.cache_clear()


def median_ms(trials: Iterable[Callable[[], object]], before: Callable[[], object] = lambda: None) -> float:
    """Time each trial, in milliseconds, and give the median; `before` runs untimed ahead of each."""
    times = []
    for trial in trials:
        before()
        started = time.perf_counter()
        trial()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def speed(density: str, filler: str, repeat: int) -> Speed:
    """Measure reading, and the check of one answer, cold and warm."""
    texts = passages(PASSAGES * 20, PASSAGE_CHARS, filler)
    answer, evidence = passages(1, ANSWER_CHARS, filler)[0], texts[:PASSAGES]
    numbers = statistics.mean(len({(each.start, each.end) for each in read_quantities(text)}) for text in texts)
    reading = [partial(read_quantities, text) for text in texts * repeat]
    checking = [partial(check_numbers, answer, evidence)] * (20 * repeat)
    read_ms, cold_ms, warm_ms = median_ms(reading, forget), median_ms(checking, forget), median_ms(checking)
    return Speed(density, numbers, PASSAGE_CHARS / read_ms * 1000, cold_ms, warm_ms)


def main() -> None:
    """Read the options, measure, print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    machine = describe("-").rpartition(", ")[0]  # no Postgres takes part
    counts = topics(judge())
    speeds = [speed(density, filler, options.repeat) for density, filler in FILLERS.items()]
    judged = [TOPIC_HEAD, *(each.row for each in counts)]
    times = [SPEED_HEAD, *(each.row for each in speeds)]
    print(f"{machine}\n\n{aligned(judged)}\n\n{aligned(times)}")
    if options.json:
        lines = [{"machine": machine, "load": round(load, 1)}, *map(asdict, counts), *map(asdict, speeds)]
        options.json.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    if options.markdown:
        title = "# Numbers of answers\n\nMade by `python -m bench.grounding`; its docstring says what is counted."
        facts = f"{machine}. Load of the machine before the run: {load:.1f}."
        body = f"{markdown(judged)}\n\n{markdown(times)}"
        options.markdown.write_text(f"{title}\n\n{facts}\n\n{body}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
