"""Figures of the asks of a run: pure.

In: for each question how its ask ended. Out: by part and group of questions shares, means, and how well refusals tell
the kinds apart. A part is `ask` (all kinds together) or `ask:<kind>`; it stands beside the legs of search.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from services.evaluate.figures import DIGITS, Figures, by_group, latency
from services.evaluate.heard import Heard
from services.evaluate.refusing import auroc, refused_at
from services.evaluate.sets import ANSWERABLE, Question

ASK = "ask"
Asks = dict[Question, Heard]
"""How the ask of each question ended."""


def part_of(kind: str) -> str:
    """Name the part of a kind of question."""
    return f"{ASK}:{kind}"


def is_ask(part: str) -> bool:
    """Tell a part of asking from a leg of search."""
    return part.partition(":")[0] == ASK


def ask_figures(asks: Mapping[Question, Heard]) -> dict[str, Figures]:
    """Give the figures by part and group; nothing where nothing was asked."""
    kinds = _by_kind(asks)
    parts = {part_of(kind): by_group(of_kind, ending) for kind, of_kind in kinds.items()}
    return {ASK: by_group(asks, refusing), **parts} if asks else {}


def ask_latency(asks: Mapping[Question, Heard], timed: Iterable[Question]) -> dict[str, Figures]:
    """Give the times of the asks that were timed, by part and group."""
    watched = {question: asks[question] for question in timed}
    parts = {ASK: watched, **{part_of(kind): of_kind for kind, of_kind in _by_kind(watched).items()}}
    return {part: by_group(each, _times) for part, each in parts.items() if each}


def _times(asks: Sequence[Heard]) -> dict[str, float]:
    return latency([each.took_ms for each in asks])


def _by_kind(asks: Mapping[Question, Heard]) -> dict[str, Asks]:
    kinds: dict[str, Asks] = {}
    for question, heard in asks.items():
        kinds.setdefault(question.kind, {})[question] = heard
    return {kind: kinds[kind] for kind in sorted(kinds, key=lambda kind: (kind != ANSWERABLE, kind))}


def ending(asks: Sequence[Heard]) -> dict[str, float]:
    """Say how asks of one kind ended and what they cost; a figure without anything to count is not there.

    Returns:
        `n` and `failed` of all; of those that did not fail: `refused`, `right` and `in_cited` (a refusal is neither),
        `refused: <reason>`, `re_gate: <value>`, `calls`, `tokens_in`, `tokens_out`; of the answers:
        `right_of_answered`, `cited_gold`, `bad_numbers`, `answer_chars`, `by: <author>`.
    """
    ended = [each for each in asks if not each.failed]
    answers = [each for each in ended if each.answered]
    gold = [each.cited_gold for each in answers if each.kind == ANSWERABLE]
    figures = {
        "failed": _mean([each.failed for each in asks]),
        "refused": _mean([each.refused for each in ended]),
        "right": _mean([each.right for each in ended]),
        "right_of_answered": _mean([each.right for each in answers]),
        "in_cited": _mean([each.in_cited for each in ended]),
        "cited_gold": _mean(gold),
        "bad_numbers": _mean([each.bad_numbers for each in answers]),
        "answer_chars": _mean([each.chars for each in answers]),
        "calls": _mean([each.calls for each in ended]),
        "tokens_in": _mean([each.tokens_in for each in ended]),
        "tokens_out": _mean([each.tokens_out for each in ended]),
    }
    return {
        "n": len(asks),
        **{name: round(value, DIGITS) for name, value in figures.items() if value is not None},
        **_shares("refused: ", [each.ended for each in ended if each.refused], len(ended)),
        **_shares("re_gate: ", [each.re_gate for each in ended if each.re_gate], len(ended)),
        **_shares("by: ", [each.author for each in answers], len(answers)),
    }


def refusing(asks: Sequence[Heard]) -> dict[str, float]:
    """Say how well refusals fit: `precision` and `recall` over all kinds, and by kind what needs no threshold."""
    ended = [each for each in asks if not each.failed]
    refused = [each.kind != ANSWERABLE for each in ended if each.refused]
    to_refuse = [each.refused for each in ended if each.kind != ANSWERABLE]
    figures = {"precision": _mean(refused), "recall": _mean(to_refuse), **_apart(ended)}
    return {"n": len(asks), **{name: round(value, DIGITS) for name, value in figures.items() if value is not None}}


def _apart(ended: Sequence[Heard]) -> dict[str, float]:
    """Hold the scores of the answerable against those of each other kind: `auroc: <kind>`, `refused_at_10: <kind>`."""
    scores: dict[str, list[float | None]] = {}
    for each in ended:
        scores.setdefault(each.kind, []).append(each.score)
    known = scores.pop(ANSWERABLE, [])
    figures: dict[str, float] = {}
    for kind in sorted(scores) if known else ():
        figures[f"auroc: {kind}"] = auroc(known, scores[kind])
        figures[f"refused_at_10: {kind}"] = refused_at(known, scores[kind])
    return figures


def _mean(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return fmean(found) if found else None


def _shares(prefix: str, names: Iterable[str | None], of: int) -> dict[str, float]:
    return {f"{prefix}{name}": round(count / of, DIGITS) for name, count in sorted(Counter(names).items())}
