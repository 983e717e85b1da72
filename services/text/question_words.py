"""Weigh the words by which a question with Hangul and Latin letters is Korean or English.

In: a short text in two scripts. Out: how much of it is English grammar, and how much Korean: function words, particles,
endings, and where the asking stands. Names count for neither, however long; nor does what stands in quotation marks.
"""

import re
from dataclasses import dataclass
from itertools import takewhile

_QUOTED = re.compile(
    "\u201c[^\u201d]*\u201d|\u2018[^\u2019]*\u2019|\"[^\"]*\"|(?<!\\w)'[^']*'(?![A-Za-z])|「[^」]*」|『[^』]*』|〈[^〉]*〉"
    "|《[^》]*》|«[^»]*»|`[^`]*`|\\([^)]*\\)"
)
_TOKEN = re.compile(r"[A-Za-z\d'.+#/_-]*[가-힣][\w'-]*|[A-Za-z][\w'.+#/-]*")
_HANGUL = re.compile("[가-힣]")
_END_OF_SENTENCE = re.compile(r"[\s\"'”’)」』〉》»]*(?:[.?!…~]|\Z)")

_ASKING_WORDS = """
who whom whose what when where which why how is are was were am do does did can could should would will has have had
may might must shall explain tell list give describe define show find compare summarize summarise translate name please
"""
_FUNCTION_WORDS = """
a an the of in on at to for from with without by about into between among during after before against under over
through as than and or but if then because while i you he she it we they me him her us them my your his its our their
this that these those there here not no any some many much more most be been being very also so such
"""
_MENTIONING = "say mean means translate pronounce spell call called word term phrase named character"
_ASKING = frozenset(_ASKING_WORDS.split())
"""A question in English begins with one of these, an order does, too."""
_ENGLISH = frozenset(_FUNCTION_WORDS.split()) | _ASKING - {"list", "find", "name", "show", "compare"}
_TITLE_WORDS = 3
_MENTION = frozenset(_MENTIONING.split())
"""Behind these Korean is spoken of, not spoken."""

_ASKS = re.compile(
    r"(?:무엇|무슨|뭐|뭔|뭘|무얼|누구|누가|언제|어디|어느|어떤|어떻|어때|어째|왜(?![가-힣]{2})|얼마|몇)[가-힣]*\Z"
)
_ENDS = re.compile(
    r"(?:까|[은는인던한운른]가|냐|뭐야|거야|이야|[가-힣]요|죠|니다"
    r"|(?:이|한|된|했|있|없|았|었|였|는)다|줘|하라|해라|시오|[안못]\s?됨|[됨함]|[있없았었했]음"
    r"|[하되있없었았했였]나|[하되있없했]니|[인는은할을한된]지)\Z"
)
_REQUESTS = re.compile(
    r"(?:줘|주세요|줄래|주라|알려|설명해|말해|가르쳐|요약해|뭐야|뭔가요?|뭐지|[인는]가요|나요|습니까|입니까|됩니까|합니까|인가)\Z"
)
_SOUGHT = re.compile(
    r"(?:뜻|의미|방법|이유|차이점?|설명|비교|예제|예시|사용법|쓰는법|법|정의|추천|요약|번역|목록|종류|오류|에러|문제|원인|안됨|코드"
    r"|설치|설정|순서|절차|가격|날짜|여부|해결|문법|해석|용법|줄임말|줄거리|결말|만들기|명령어?)(?:은|는|이|가|을|를|좀)?\Z"
)
_PARTICLE = re.compile(
    r".(?:은|는|이|가|을|를|의|에|에서|에게|으로|로|와|과|도|만|부터|까지|보다|처럼|한테|께서|이란|란|이랑|랑|하고|에는|에서는|로는)\Z"
)
_LATIN_WITH_PARTICLE = re.compile(r"[A-Za-z0-9)+#]['’]?[가-힣]{1,3}\Z")


@dataclass(frozen=True, slots=True)
class Grammar:
    """What speaks for either language, in points; `ends_korean` tells whether the last word is Hangul."""

    english: int
    korean: int
    ends_korean: bool


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    korean: bool
    closes: bool


def grammar(text: str) -> Grammar:
    """Weigh a text without what it quotes; where nothing else is left, with it."""
    bare = _QUOTED.sub(" ", text)
    words = _words(bare) or _words(text)
    english = sum(_english(words, at) for at in range(len(words)))
    korean = sum(_korean(word, at == len(words) - 1) for at, word in enumerate(words) if word.korean)
    return Grammar(english, korean, bool(words) and words[-1].korean)


def _words(text: str) -> list[_Word]:
    return [
        _Word(
            match[0].rstrip("'.-/_"),
            bool(_HANGUL.search(match[0])),
            match[0].endswith(".") or _END_OF_SENTENCE.match(text, match.end()) is not None,
        )
        for match in _TOKEN.finditer(text.replace("\u2019", "'"))
    ]


def _english(words: list[_Word], at: int) -> int:
    """Give the points of an English word: where the asking begins, and between words that are no title."""
    word = words[at]
    if word.korean:
        return 2 if word.text.lower().endswith("'s") else 0
    plain = _plain(word)
    first = at == 0 or words[at - 1].closes
    if first and plain in _ASKING and not _shouts_code(words, at) and not _opens_title(words, at):
        return 2
    if plain in _MENTION and at + 1 < len(words) and words[at + 1].korean:
        return 2
    if plain not in _ENGLISH or not (word.text[0].islower() or word.text == "I" or _is_shouted(words, at)):
        return 0
    return 0 if _in_title(words, at) else 1


def _plain(word: _Word) -> str:
    return word.text.lower().partition("'")[0]


def _shouts_code(words: list[_Word], at: int) -> bool:
    """Say whether a word in capitals is a keyword of a program: SHOW TABLES; "WHO IS" asks."""
    following = words[at + 1] if at + 1 < len(words) else None
    shouted = words[at].text.isupper() and len(words[at].text) > 1
    return shouted and not (following and _plain(following) in _ENGLISH)


def _is_shouted(words: list[_Word], at: int) -> bool:
    return words[at].text.isupper() and words[0].text.isupper() and _plain(words[0]) in _ASKING


def _opens_title(words: list[_Word], at: int) -> bool:
    """Say whether a word begins a title before Korean: "When Harry Met Sally 감독"; "Who is …" does not."""
    run = list(takewhile(lambda word: not word.korean, words[at:]))
    titled = all(word.text[0].isupper() for word in run) and any(word.text[1:].islower() for word in run)
    return titled and len(run) >= _TITLE_WORDS and at + len(run) < len(words)


def _in_title(words: list[_Word], at: int) -> bool:
    """Say whether the nearest Latin words that mean something are capitalised on both sides: "Lord of the Rings"."""
    before = _neighbour(words[:at][::-1])
    after = _neighbour(words[at + 1 :])
    return bool(before and after and before[0].isupper() and after[0].isupper())


def _neighbour(words: list[_Word]) -> str | None:
    for word in words:
        if word.korean and not _LATIN_WITH_PARTICLE.search(word.text):
            return None
        if _plain(word) not in _ENGLISH:
            return word.text
    return None


def _korean(word: _Word, is_last: bool) -> int:
    """Give the points of a Korean word: what it asks, how it ends, or its particle."""
    points = 2 if _ASKS.match(word.text) else 0
    if is_last and _REQUESTS.search(word.text):
        return points + 4
    if word.closes and _ENDS.search(word.text):
        return points + 2
    if is_last and _SOUGHT.match(word.text):
        return points + 3
    if _LATIN_WITH_PARTICLE.search(word.text) and _PARTICLE.search(word.text):
        return points + 2
    return points + (1 if len(word.text) > 1 and _PARTICLE.search(word.text) else 0)
