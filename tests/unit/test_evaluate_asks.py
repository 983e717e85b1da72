"""How an ask is held against what is known of its question, which figures come of it, and what changed."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest
import typer

from db.eval_rows import EvalRun
from services.command.eval import how_many
from services.command.eval_ask_show import show_asks
from services.evaluate.asked_figures import ASK, ask_figures, ask_latency, ending, is_ask, part_of, refusing
from services.evaluate.asking import ask_all
from services.evaluate.choose import to_ask
from services.evaluate.gold import has_answer, without_markers
from services.evaluate.heard import Heard, hear
from services.evaluate.measure import AT_ONCE
from services.evaluate.refusing import auroc, refused_at
from services.evaluate.reply import ANSWERED, FAILED, Reply
from services.evaluate.result import asks_of, changed
from services.evaluate.sets import EvaluationSet, Question
from tests.fakes.evaluation_sets import ENGLISH

PASSAGE = ENGLISH["garden"]


def question(number: str, kind: str = "answerable", *answers: str, language: str = "en") -> Question:
    gold = ("x",) if kind == "answerable" else ()
    return Question(number, "a", language, f"What is {number}?", kind, gold, (), False, (), answers)


def reply(text: str = "", ended: str = ANSWERED, cited: tuple[str, ...] = (PASSAGE,), **facts: Any) -> Reply:
    bad_numbers = False if ended == ANSWERED else None
    return Reply(ended, 5.0, facts, text, cited if text else (), bad_numbers, "m" if text else "")


@pytest.mark.parametrize(
    ("text", "answer", "holds"),
    [
        ("It has Eleven, apple trees.", "eleven apple", True),
        ("It has eleven-thousand.", "eleven thousand", True),
        ("It costs 1200 won.", "12", False),
        ("순환펌프의 전력은 1.5kW이다.", "순환 펌프", True),
        ("정원은 열세명이다.", "열세 명", True),
        ("Ｆｕｌｌ width", "full WIDTH", True),
        ("anything", "", False),
        ("anything", "!", False),
    ],
)
def test_answer__is_found_whatever_its_case_signs_and_korean_blanks(text: str, answer: str, holds: bool) -> None:
    assert has_answer(text, [answer]) is holds
    assert has_answer(text, ["not there", answer]) is holds


def test_answer__is_not_the_number_of_a_citation() -> None:
    assert not has_answer(without_markers("There are eleven [2]."), ["2"])
    assert has_answer(without_markers("There are 2 [1]."), ["2"])


def test_hear__holds_an_answer_against_strings_and_passages() -> None:
    calls = [{"tokens_in": 10, "tokens_out": 3}, {"tokens_in": 5, "tokens_out": None}]
    given = reply("Eleven [1].", coverage=0.8, calls=calls, re_gate="kept")
    heard = hear(question("q", "answerable", "eleven"), [PASSAGE], given)
    assert (heard.right, heard.in_cited, heard.cited_gold, heard.as_wished) == (True, True, True, True)
    assert (heard.score, heard.calls, heard.tokens_in, heard.tokens_out) == (0.8, 2, 15, 3)
    assert (heard.chars, heard.re_gate, heard.author) == (11, "kept", "m")


def test_hear__does_not_count_what_a_server_does_not_tell() -> None:
    silent = hear(question("q"), [PASSAGE], reply("Yes [1].", calls=[{"tokens_in": None, "tokens_out": None}]))
    assert (silent.calls, silent.tokens_in, silent.tokens_out) == (1, None, None)
    assert "tokens_in" not in ending([silent])
    uncalled = hear(question("q"), [PASSAGE], reply("Yes [1]."))
    assert (uncalled.calls, uncalled.tokens_in, uncalled.tokens_out) == (0, 0, 0)


def test_hear__tells_an_answer_in_the_cited_passage_from_one_that_was_said() -> None:
    heard = hear(question("q", "answerable", "eleven"), [PASSAGE], reply("Many trees [1]."))
    assert (heard.right, heard.in_cited, heard.as_wished) == (False, True, False)
    elsewhere = hear(question("q", "answerable", "eleven"), [PASSAGE], reply("Eleven [1].", cited=(ENGLISH["boiler"],)))
    assert (elsewhere.right, elsewhere.cited_gold) == (True, False)


def test_hear__without_known_strings_goes_by_the_passage() -> None:
    heard = hear(question("q"), [PASSAGE], reply("Yes [1]."))
    assert (heard.right, heard.in_cited, heard.cited_gold, heard.as_wished) == (None, None, True, True)
    assert not hear(question("q"), [ENGLISH["boiler"]], reply("Yes [1].")).as_wished


@pytest.mark.parametrize(
    ("kind", "ended", "refused", "as_wished"),
    [
        ("answerable", "evidence_weak", True, False),
        ("withheld", "evidence_weak", True, True),
        ("adversarial", ANSWERED, False, False),
        ("withheld", f"{FAILED}llm_timeout", False, False),
    ],
)
def test_hear__a_refusal_is_wished_where_nothing_answers(kind: str, ended: str, refused: bool, as_wished: bool) -> None:
    heard = hear(question("q", kind), [], reply(ended=ended))
    assert (heard.refused, heard.as_wished) == (refused, as_wished)


def test_auroc__is_the_share_of_pairs_in_order_equal_ones_by_half() -> None:
    assert auroc([0.9, 0.8], [0.1, None]) == 1.0
    assert auroc([0.1], [0.9]) == 0.0
    assert auroc([0.5, None], [0.5, None]) == (0.5 + 1 + 0 + 0.5) / 4


def test_refused_at__takes_the_highest_threshold_that_the_answerable_allow() -> None:
    answerable = [number / 10 for number in range(10)]  # one in ten may go: those below 0.1
    assert refused_at(answerable, [0.05, 0.1, None, 0.7]) == 0.5
    assert refused_at(answerable[:9], [0.0, None]) == 0.5  # of nine none may go
    assert refused_at(answerable, [0.35, 0.4], 0.4) == 0.5
    assert refused_at([0.2] * 10, [0.2, 0.1]) == 0.5  # equal scores cannot be told apart


def asks() -> dict[Question, Heard]:
    good = hear(question("p", "answerable", "eleven"), [PASSAGE], reply("Eleven [1].", coverage=0.9, re_gate="clean"))
    wrong = hear(question("q", "answerable", "pears"), [PASSAGE], reply("Eleven [1].", coverage=0.6))
    return {
        question("p", "answerable", "eleven"): good,
        question("q", "answerable", "pears"): replace(wrong, bad_numbers=True, calls=3, tokens_in=30, tokens_out=6),
        question("r", "answerable", "x"): hear(question("r", "answerable", "x"), [], reply(ended="weak", coverage=0.2)),
        question("s", "withheld"): hear(question("s", "withheld"), [], reply(ended="weak", coverage=0.3)),
        question("t", "withheld"): hear(question("t", "withheld"), [], reply(ended="missing")),
        question("u", "adversarial"): hear(question("u", "adversarial"), [], reply("Yes [1].", coverage=0.8)),
        question("v", "adversarial"): hear(question("v", "adversarial"), [], reply(ended=f"{FAILED}parse_fail")),
    }


def test_ending__gives_shares_of_all_and_of_the_answers() -> None:
    figures = ask_figures(asks())
    assert list(figures) == [ASK, "ask:answerable", "ask:adversarial", "ask:withheld"]
    assert all(is_ask(part) for part in figures)
    answerable = figures[part_of("answerable")]["all"]
    assert answerable == {
        "n": 3,
        "failed": 0.0,
        "refused": 0.3333,
        "right": 0.3333,
        "right_of_answered": 0.5,
        "in_cited": 0.3333,
        "cited_gold": 1.0,
        "bad_numbers": 0.5,
        "answer_chars": 11.0,
        "calls": 1.0,
        "tokens_in": 10.0,
        "tokens_out": 2.0,
        "refused: weak": 0.3333,
        "re_gate: clean": 0.3333,
        "by: m": 1.0,
    }
    withheld = figures[part_of("withheld")]["set:a"]
    assert (withheld["refused"], withheld["refused: missing"], withheld["refused: weak"]) == (1.0, 0.5, 0.5)
    assert "answer_chars" not in withheld
    adversarial = figures[part_of("adversarial")]["language:en"]
    assert (adversarial["n"], adversarial["failed"], adversarial["refused"]) == (2, 0.5, 0.0)


def test_refusing__goes_over_all_kinds_and_leaves_out_what_failed() -> None:
    everything = ask_figures(asks())[ASK]["all"]
    assert (everything["n"], everything["precision"], everything["recall"]) == (7, 0.6667, 0.6667)
    assert everything["auroc: withheld"] == round((3 + 2) / 6, 4)
    assert everything["auroc: adversarial"] == round(1 / 3, 4)
    assert (everything["refused_at_10: withheld"], everything["refused_at_10: adversarial"]) == (0.5, 0.0)
    assert refusing([each for each in asks().values() if each.kind == "withheld"]) == {
        "n": 2,
        "precision": 1.0,
        "recall": 1.0,
    }
    assert ask_figures({}) == {}


def test_latency__is_that_of_the_timed_asks_by_kind() -> None:
    heard = asks()
    took = ask_latency(heard, [each for each in heard if each.kind == "withheld"])
    assert list(took) == [ASK, "ask:withheld"]
    assert took[ASK]["all"] == {"n": 2, "p50_ms": 5.0, "p95_ms": 5.0}


def run(number: int, heard: dict[Question, Heard]) -> EvalRun:
    results = {"legs": ["fused"], "ranks": {}, "asks": asks_of(heard)}
    return EvalRun(number, datetime(2026, 1, 1, tzinfo=UTC), dict(ask_figures(heard)), {}, results)


def test_changed__names_the_asks_that_end_otherwise() -> None:
    then, now = asks(), asks()
    now[question("p", "answerable", "eleven")] = replace(now[question("p", "answerable", "eleven")], ended="weak")
    now[question("u", "adversarial")] = replace(now[question("u", "adversarial")], ended="weak")
    change = changed(run(1, then), run(2, now))
    assert (change.asks_lost, change.asks_won) == (["a/p"], ["a/u"])
    assert change.deltas[part_of("answerable")]["all"]["refused"] == 0.3334
    assert changed(run(1, then), run(2, {})).asks_lost == []


def test_asks__are_kept_one_row_of_values_a_question() -> None:
    kept = asks_of(asks())
    row = dict(zip(kept["columns"], kept["ended"]["a"]["p"], strict=True))
    assert row == {
        "as_wished": True,
        "ended": "answered",
        "score": 0.9,
        "right": True,
        "cited_gold": True,
        "bad_numbers": False,
        "chars": 11,
        "calls": 0,
        "re_gate": "clean",
    }


def test_show__prints_a_table_for_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    then, now = asks(), asks()
    now[question("t", "withheld")] = replace(now[question("t", "withheld")], ended=ANSWERED)
    heard = {**now}
    figures, took = ask_figures(heard), ask_latency(heard, list(heard))
    show_asks(figures, took, changed(run(1, then), run(2, now)))
    said = capsys.readouterr().out
    assert re.findall(r"^(Asked, \w+)", said, re.M) == ["Asked, answerable", "Asked, adversarial", "Asked, withheld"]
    assert "0.5000 (-0.5000)" in said
    assert "answerable, refused: weak 0.3333" in said
    assert "50.0% of the adversarial asks failed" in said
    assert "refused_at_10: withheld" in said
    assert "tokens_in" in said
    assert "tag:withheld" not in said
    show_asks({"fused": {}}, {}, None)
    assert capsys.readouterr().out == ""


def test_choice__takes_so_many_of_each_kind_and_the_same_ones_again() -> None:
    kinds = ("withheld", "answerable", "adversarial")
    known = tuple(question(f"{kind}-{number}", kind) for kind in kinds for number in range(30))
    one = EvaluationSet("a", (), (*known, replace(known[-1], id="no gold", kind="answerable", gold=())), "", "")
    chosen = to_ask(one, 10)
    assert [each.kind for each in chosen] == ["answerable"] * 10 + ["adversarial"] * 10 + ["withheld"] * 10
    assert chosen == to_ask(one, 10)
    assert set(chosen) < set(to_ask(one, 11))
    assert len(to_ask(one, None)) == 90


@pytest.mark.anyio
async def test_ask_all__asks_the_timed_ones_alone_and_keeps_the_order() -> None:
    gold: dict[Question, list[str]] = {question(str(number), "answerable"): [PASSAGE] for number in range(30)}
    in_flight = 0
    most: list[int] = []
    told: list[int] = []

    async def ask_one(asked: Question) -> Reply:
        nonlocal in_flight
        in_flight += 1
        most.append(in_flight)
        await anyio.lowlevel.checkpoint()
        in_flight -= 1
        return reply(f"{asked.id} [1].")

    replies = await ask_all(gold, ask_one, told.append, timed=10)
    assert list(replies.heard) == list(gold)
    assert (len(replies.timed), told[-1]) == (10, 30)
    assert (max(most[:10]), max(most)) == (1, AT_ONCE)


def test_sample__is_a_number_or_the_word() -> None:
    assert (how_many("25"), how_many("all")) == (25, None)
    for wrong in ("0", "-1", "some", ""):
        with pytest.raises(typer.BadParameter, match="neither a number from 1 nor the word all"):
            how_many(wrong)


def test_ending__of_one_failed_ask_has_nothing_else() -> None:
    failed = hear(question("v"), [], reply(ended=f"{FAILED}parse_fail"))
    assert ending([failed]) == {"n": 1, "failed": 1.0}
