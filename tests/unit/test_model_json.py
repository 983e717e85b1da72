"""JSON from a model is a hope: what is forgiven, what is not."""

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, RootModel

from services.model.errors import ReplyMisshapen
from services.model.jsonreply import find_json, read_json


class Claim(BaseModel):
    text: str
    pages: list[int] = []


class Claims(RootModel[list[Claim]]):
    pass


GOOD = {"text": "연차는 15일이다.", "pages": [1, 2]}
PLAIN = json.dumps(GOOD, ensure_ascii=False)

FORGIVEN = (
    PLAIN,
    f"\ufeff  {PLAIN}\n",
    json.dumps(GOOD, indent=2),
    f"```json\n{PLAIN}\n```",
    f"```\n{PLAIN}```",
    f"다음과 같습니다:\n```json\r\n{PLAIN}\r\n```\n도움이 되었기를!",
    f"Sure! Here it is: {PLAIN} Anything else?",
    f'초안 {{"text": "틀림"}} 이 아니라 {PLAIN}',
    f"중괄호 {{ 는 이렇게 쓴다. {PLAIN}",
    f"[1]에 따르면 {PLAIN}",
    '{"text": "연차는 15일이다.", "pages": [1, 2,],}',
    '{"text": "연차는 15일이다.", "pages": [1, 2], "confidence": 0.9}',
    f'{{"schema": "다른 것"}}\n{PLAIN}',
    f'{{"response": {PLAIN}}}',
    f'{{"result": [{{"output": {PLAIN}}}]}}',
    f"[{PLAIN}]",
    f"```json\n[{PLAIN}]\n```",
    "{'text': '연차는 15일이다.', 'pages': [1, 2]}",
    "Here it is: {'text': '연차는 15일이다.', 'pages': [1, 2], 'sure': True, 'why': None,} Anything else?",
    '{"text": "연차는 15일이다.", "sure": True, "pages": [1, 2]}',
    '{\n  // as you don\'t know it\n  "text": "연차는 15일이다.", /* "text": "no" */\n  "pages": [1, 2], # both\n}',
    "{“text”: “연차는 15일이다.”, “pages”: [1, 2]}",
    "{‘text’: ‘연차는 15일이다.’, ‘pages’: [1, 2]}",
    '{text: "연차는 15일이다.", pages: [1, 2]}',
    "{'response': {'text': '연차는 15일이다.', 'pages': [1, 2]}}",
)


@pytest.mark.parametrize("text", FORGIVEN)
def test_read_json__forgives(text: str) -> None:
    assert read_json(text, Claim).model_dump() == GOOD


def test_read_json__keeps_what_only_looks_like_a_slip() -> None:
    odd = {"text": 'a,} ,] "q" \\ { [ ```json\n{}\n```', "pages": []}
    for text in (json.dumps(odd), f"네: {json.dumps(odd)}.", json.dumps(odd)[:-1] + ",}"):
        assert read_json(text, Claim).model_dump() == odd


TEXTS = {
    """{'text': 'It's the owner's [1].'}""": "It's the owner's [1].",
    """{'text': 'He said "no" [1].'}""": 'He said "no" [1].',
    r"""{'text': 'It\'s 5 [1].'}""": "It's 5 [1].",
    r"""{"text": "It\'s \50,000 \(net\) [1].\n"}""": "It's \\50,000 \\(net\\) [1].\n",
    """{"text": "The sign says "closed" [1]."}""": 'The sign says "closed" [1].',
    """{"text": "see https://example.org/a#b, it is 5 [1]",}""": "see https://example.org/a#b, it is 5 [1]",
    """{"text": "see "# 5" [1]"\n}""": 'see "# 5" [1]',
    """{'text': '// no comment # none /* either */'}""": "// no comment # none /* either */",
    """{“text”: “the “old” pump, it's "red" [1]”}""": """the “old” pump, it's "red" [1]""",
    """{"text": "None of it is True, or null,}"}""": "None of it is True, or null,}",
}


@pytest.mark.parametrize("text", TEXTS)
def test_read_json__keeps_every_sign_of_a_text(text: str) -> None:
    assert read_json(text, Claim).text == TEXTS[text]


def test_read_json__takes_line_ends_within_strings() -> None:
    assert read_json('{"text": "한 줄\n두 줄\t셋"}', Claim).text == "한 줄\n두 줄\t셋"


def test_read_json__reads_lists() -> None:
    assert read_json(f"목록: [{PLAIN}, {PLAIN}]", Claims).root[1].pages == [1, 2]


REFUSED = {
    "": "no whole JSON value",
    "모르겠습니다.": "no whole JSON value",
    PLAIN[:-5]: "no whole JSON value",
    f"```json\n{PLAIN[:-5]}\n```": "no whole JSON value",
    '{"text": 5}': "text: ",
    '{"pages": [1]}': "text: Field required",
    "[1, 2]": "Input should be",
    "{'text': 'a', 'pages': [1 2]}": "no whole JSON value",
    "{'text': 'He said 'yes', and went [1].'}": "no whole JSON value",
    "{'text': 'a', 'pages': [1": "no whole JSON value",
    "{'text': undefined}": "no whole JSON value",
    "{'text': 'a' 'b'}": "no whole JSON value",
    "{the text: it is 5}": "no whole JSON value",
    "The set {a, b} and the list ['x' or 'y'] are 'text': 'prose'": "Input should be",
    '{"a": {"text": "one"}, "b": {"text": "other"}}': "text: Field required",
    '[{"text": "one"}, {"text": "other"}]': "Input should be",
    '{"text": "a", "pages": [NaN]}': "no whole JSON value",
    "null": "Input should be",
    "[" * 100_000: "no whole JSON value",
    '{"text": "a", "pages": [' + "9" * 5000 + "]}": "no whole JSON value",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:30])
def test_read_json__refuses_and_says_why(text: str) -> None:
    with pytest.raises(ReplyMisshapen, match=REFUSED[text]) as caught:
        read_json(text, Claim)
    assert caught.value.reply == text[:2000]
    assert caught.value.hint


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
PROSE = st.text(st.characters(codec="utf-8", exclude_characters='{}[]"`'), max_size=30)


SIGNS = st.characters(codec="utf-8", categories=("L", "N"), include_characters=' ,.:{}[]/#*"“”‘’-()\n')


class Free(RootModel[dict[str, object]]):
    pass


@settings(deadline=None)
@given(st.dictionaries(st.text(), JSON), PROSE, PROSE, st.booleans(), st.booleans())
def test_read_json__finds_any_object_among_prose(
    value: dict[str, object], before: str, after: str, escaped: bool, fenced: bool
) -> None:
    written = json.dumps(value, ensure_ascii=escaped)
    block = f"\n```json\n{written}\n```\n" if fenced else written
    found, text = find_json(before + block + after, Free)
    assert found.root == value
    assert json.loads(text) == value


@settings(deadline=None)
@given(st.dictionaries(st.text(SIGNS), st.text(SIGNS) | st.lists(st.booleans() | st.none() | st.integers(-9, 9))))
def test_read_json__reads_what_python_writes_in_plain_signs(value: dict[str, object]) -> None:
    assert read_json(repr(value), Free).root == value


@settings(deadline=None)
@given(st.text(st.sampled_from("{}[]\"',:\\`“”/*# a1\n"), max_size=60))
def test_read_json__ends_in_a_value_or_its_error_on_any_text(text: str) -> None:
    with suppress(ReplyMisshapen):
        read_json(text, Free)


def test_read_json__is_not_slow_on_braces_that_never_close() -> None:
    started = time.process_time()
    for text in (
        "'" * 100_000,
        "{'a': '" + "x' " * 50_000,
        "/*" * 50_000,
        "{#" * 50_000,
        "{'a" + " " * 200_000,
        "{" * 200_000,
        '{"a": [' * 20_000,
        "[]" * 20_000,
        '{"' * 50_000,
    ):
        with pytest.raises(ReplyMisshapen):
            read_json(text, Claim)
    assert time.process_time() - started < 20
