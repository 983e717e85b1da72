"""How Korean joins the parts of a question: by endings of verbs (-며, -고, -는지), by particles (와/과, 하고), by 및.

In: a sentence with Hangul in it, without its question mark. Out: its clauses, or the nouns that are asked for side by
side; what is joined in doubt stays whole. For parts.py.
"""

import re

SHORT_WORDS = 4
"""A clause of more words names itself what it is about."""
_QUESTION_WORD = "(?:무엇|무슨|뭐|뭔|뭘|언제|누구|누가|어디|얼마|어느|어떻게|어떤|왜|며칠|몇)"
_HAS_QUESTION_WORD = re.compile(rf"(?<![가-힣]){_QUESTION_WORD}")
_TELL = r"(?:알려|말해|설명해|가르쳐|적어|찾아)\s?(?:줘|주세요|주십시오|주시오|달라)\S*|궁금\S+"
_ASKS = re.compile(rf"{_TELL}\Z|(?:인가요?|나요|니까|까요|은요|는요)\Z")

_JOINT = re.compile(
    r"(?<=[가-힣])(?:(?P<links>며|(?<!그리)고)|(?P<whether>[인는은한]지)(?:와|,)?),?\s+(?:그리고\s+|및\s+|또\s+|또한\s+)?"
)
_NOUN_IN_GO = re.compile(
    r"(?:사고|보고|창고|광고|경고|권고|최고|신고|재고|금고|참고|냉장고|중고|충고|예고|출고|입고|문고|차고)\Z"
)
_GOES_ON = re.compile(r"(?:있|싶|나서|나면|난\s|말|보니|계시|계신|다니)")
"""What follows -고 in one predicate."""
_TOPIC_ALONE = re.compile(r"[가-힣A-Za-z0-9)\s-]{1,20}[은는](?:요)?\Z")
_IS_ASKED = re.compile(rf"(?:{_QUESTION_WORD}|몇\s?[가-힣]{{1,4}}?)(?:이|이시)?[며고]\Z")
_OF = re.compile(r"(?:(?<=\s)|\A)\S*의(?=\s)")
_NOUN_IN_UI = re.compile(
    r"(?:회의|주의|정의|합의|협의|동의|결의|논의|문의|강의|유의|임의|심의|의의|상의|하의|건의|질의|편의|고의|열의)\Z"
)

_ENDING = (
    "(?:인가요?|입니까|이에요|예요|이야|야|죠|지요|일까요?|되나요|됩니까|되는가요?|돼요?"
    "|나요|합니까|하나요|있나요|있습니까)"
)
_TAIL = re.compile(
    r"(?P<particle>[은는이가을를도]|에\s대해서?)?\s+(?P<asked>(?:각각\s)?(?:"
    r"(?:(?P<amount>얼마|며칠|몇\s?[가-힣℃%A-Za-z]{1,5}?)|무엇|뭐|뭔|언제|누구|어디|어떻게)"
    rf"\s?{_ENDING}?(?:인지|는지)?(?:\s(?:{_TELL}))?|{_TELL}))\Z"
)
_ENDS_AS_VERB = re.compile(r"[다요까가지니라오죠네음함됨임]\Z")
"""Without an asking word a list may be a sentence that tells, or asks for yes or no."""
_ENDS_IN_PARTICLE = re.compile(r"[은는](?:요)?\Z")
_SEPARATOR = re.compile(
    r"\s+(?:및|그리고|and|as well as)\s+(?:the\s+)?|,\s*(?:그리고\s+|및\s+)?"
    r"|(?<=\S)(?P<with>와|과)\s+|(?<=[가-힣]{2})하고\s+"
)
_NOUN_IN_GWA = re.compile(
    r"(?:결과|성과|통과|경과|학과|일과|약과|효과|사과|초과|교과|부과|여과|투과|치과|내과|외과|안과)\Z"
)
_COMPARED = re.compile(
    r"차이|비교|관계|공통|같[은나습아이]|다[른르]|달[라리]|사이|함께|쪽|중\s?(?:어느|에서?)|둘|모두|상관|구[분별]|대비|비율|결합|합[은계]|관련|연관"
)
_SAYS = re.compile(
    r"[가-힣](?:하는|되는|있는|없는|했던|하던|위한|위해|따라|따른|의한|인한|하여|해서|되어|에서|에게)(?=\s|\Z)|[은는을를에]\s"
)
_LAST_HANGUL, _FIRST_HANGUL, _FINALS = 0xD7A3, 0xAC00, 28


def asks_in_korean(sentence: str) -> bool:
    """Say whether a Korean sentence ends as one that asks, or that wants to be told."""
    return _ASKS.search(sentence.rstrip(".!?？ ")) is not None


def clauses_in_korean(sentence: str) -> list[tuple[str, str]]:
    """Cut a sentence where one predicate that asks joins another: topic shared from the first ("" for none), text."""
    pieces: list[str] = []
    start = 0
    for joint in _JOINT.finditer(sentence):
        left, right = sentence[start : joint.end()].strip(), sentence[joint.end() :]
        if _may_cut(left.rstrip(","), right, whether=joint["links"] is None):
            pieces.append(left.rstrip(","))
            start = joint.end()
    first, *others = *pieces, sentence[start:]
    shared = [topic_in_korean(first, other) for other in others]
    return [(next(filter(None, shared), ""), first), *zip(shared, others, strict=True)]


def nouns_in_korean(sentence: str) -> list[tuple[str, str, str]]:
    """Cut where nouns stand side by side before the asking word: text, own words and topic of each; none in doubt."""
    tail = _TAIL.search(sentence)
    asked, amount = (tail["asked"], bool(tail["amount"])) if tail else ("", False)
    body = sentence[: tail.start()] if tail else _ENDS_IN_PARTICLE.sub("", sentence)
    if not tail and _ENDS_AS_VERB.search(body):
        return []
    if _COMPARED.search(sentence) or _HAS_QUESTION_WORD.search(body):
        return []
    pieces = _pieces(body.strip())
    if len(pieces) < 2:
        return []
    owners = [_owner_of(piece) for piece in pieces]
    if any(owners[1:]):  # A의 B와 C의 D; but A와 B의 C may be a name's
        return [(f"{piece} {asked}".strip(), piece, "") for piece in pieces] if all(owners) else []
    topic = owners[0]
    own = [pieces[0][len(topic) :].strip(), *pieces[1:]]
    if not all(len(piece) > 1 for piece in own) or any(map(_SAYS.search, own)):
        return []
    if not topic and not amount and not all(" " in piece for piece in own):  # 톰과 제리는 누구인가요
        return []
    return [(f"{topic} {piece} {asked}".strip(), piece, topic) for piece in own]


def topic_in_korean(clause: str, after: str) -> str:
    """Give what a clause is about and the one after it may be, too: what stands before 의, or a topic that acts.

    Returns:
        "" where there is none, or the one after it has its own.
    """
    if _owner_of(after) or len(after.split()) > SHORT_WORDS:
        return ""
    owner = _owner_of(clause)
    if owner:
        return owner
    before = re.match(r"(?P<nouns>(?:\S+\s){0,3}?\S+[가-힣A-Za-z0-9])[은는]\s", clause)
    if before is None:
        return ""
    words = before["nouns"].split()
    if len(words) >= 3:
        return words[0]
    return before["nouns"] if len(words) == 1 and not _IS_ASKED.search(clause) else ""


def _owner_of(text: str) -> str:
    """Give a text up to its last 의 that is a particle, that included."""
    found = [match for match in _OF.finditer(text) if not _NOUN_IN_UI.search(match.group())]
    return text[: found[-1].end()] if found else ""


def _may_cut(left: str, right: str, whether: bool) -> bool:
    last = left.split()[-1]
    if _NOUN_IN_GO.search(last) or _GOES_ON.match(right) or not _HAS_QUESTION_WORD.search(left):
        return False
    if _HAS_QUESTION_WORD.search(right):
        return True
    return not whether and _TOPIC_ALONE.fullmatch(right) is not None


def _pieces(body: str) -> list[str]:
    """Cut at particles and words that join; a word that only ends like one keeps its end."""
    pieces: list[str] = []
    start = 0
    for found in _SEPARATOR.finditer(body):
        if found["with"] and not _is_particle(body, found.start()):
            continue
        pieces.append(body[start : found.start()].strip())
        start = found.end()
    pieces.append(body[start:].strip())
    only_commas = not any(found.group().strip() != "," for found in _SEPARATOR.finditer(body))
    return [] if only_commas or not all(pieces) else pieces


def _is_particle(body: str, at: int) -> bool:
    """Say whether 과 stands behind a final consonant, 와 behind none, and no noun ends like that."""
    before, particle = body[at - 1], body[at]
    if _NOUN_IN_GWA.search(body[: at + 1]):
        return False
    if not _FIRST_HANGUL <= ord(before) <= _LAST_HANGUL:
        return True
    has_final = (ord(before) - _FIRST_HANGUL) % _FINALS != 0
    return has_final == (particle == "과")
