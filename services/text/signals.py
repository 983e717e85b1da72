"""Find what a document says of itself in fixed forms: law articles, its date, whether it is a law.

In: the text of a document, or of its first pages. Out: values the rules are sure of, or none. The classify
stage uses them without a model and beside one.
"""

import re
from datetime import date

HEAD_CHARS = 600
"""A date without a label counts only this near the start: about the title block of a printed page."""

LAW_ARTICLES_FROM = 3
"""Different articles that must open a line before a text is a law: a report quotes one or two that way."""

_ARTICLE = re.compile(r"제\s?(\d{1,4})\s?조(?:\s?의\s?(\d{1,3}))?(?![0-9각])")
_ARTICLE_HEADING = re.compile(
    r"^[ \t#*]*제\s?(\d{1,4})\s?조(?:\s?의\s?(\d{1,3}))?[ \t*]*(?:[(（【\[]|삭제|$)", re.MULTILINE
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<{0}>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DATE = re.compile(
    r"(?<!\d)(?:"
    r"(?P<y1>\d{4})\s?년\s?(?P<m1>\d{1,2})\s?월\s?(?P<d1>\d{1,2})\s?일"
    r"|(?P<y2>\d{4})\s?\.\s?(?P<m2>\d{1,2})\s?\.\s?(?P<d2>\d{1,2})(?!\d|\.\d)"
    r"|(?P<y3>\d{4})-(?P<m3>\d{1,2})-(?P<d3>\d{1,2})(?!\d)"
    r"|\b" + _MONTH.format("m4") + r"\s(?P<d4>\d{1,2})(?:st|nd|rd|th)?,?\s(?P<y4>\d{4})(?!\d)"
    r"|(?P<d5>\d{1,2})(?:st|nd|rd|th)?\s" + _MONTH.format("m5") + r",?\s(?P<y5>\d{4})(?!\d)"
    r")",
    re.IGNORECASE,
)
_LABEL_BEFORE = re.compile(
    r"(?:시행일?자?|발행일?자?|발간일?|작성일?자?|공포일?|개정일?|제정일?|고시일?|게시일?|등록일?|배포일?|일자|날짜"
    r"|\b(?:date|dated|published|issued|effective|revised|updated|released))"
    r"(?:\s?(?:on|date|일시?))?\s?[\])>}*|]*\s?[:：]?[\s*|\[(<]*\Z",
    re.IGNORECASE,
)
_LABEL_AFTER = re.compile(r"\.?\s?[\])]?\s?(?:시행|발행|발간|작성|공포|개정|제정|고시)")
_ALONE_BEFORE = re.compile(r"(?:\A|\n)[^\w\n]*\Z")
_ALONE_AFTER = re.compile(r"[^\w\n]*(?:\n|\Z)")


def law_articles(text: str) -> tuple[str, ...]:
    """List the articles a text names, as 제12조 or 제12조의2, each once, in order of first mention."""
    return tuple(dict.fromkeys(_article(match) for match in _ARTICLE.finditer(text)))


def published_date(text: str) -> date | None:
    """Give the date of a document, when it is clearly its own.

    That is a date beside a label (시행, 발행, 작성일, Date, Published, ...), else the first one that stands
    alone on a line of the first HEAD_CHARS characters; a date inside a sentence is no document date.
    Impossible dates are passed over.
    """
    found = [(match, day) for match in _DATE.finditer(text) if (day := _day(match)) is not None]
    labelled = (day for match, day in found if _is_labelled(text, match))
    alone = (day for match, day in found if match.start() < HEAD_CHARS and _is_alone(text, match))
    return next(labelled, None) or next(alone, None)


def material_type(text: str) -> str | None:
    """Guess 'law' when LAW_ARTICLES_FROM different articles open a line as headings, else nothing."""
    headings = {_article(match) for match in _ARTICLE_HEADING.finditer(text)}
    return "law" if len(headings) >= LAW_ARTICLES_FROM else None


def _article(match: re.Match[str]) -> str:
    branch = f"의{int(match[2])}" if match[2] else ""
    return f"제{int(match[1])}조{branch}"


def _day(match: re.Match[str]) -> date | None:
    parts = {name[0]: value for name, value in match.groupdict().items() if value}
    month = int(parts["m"]) if parts["m"].isdigit() else _MONTHS.index(parts["m"][:3].lower()) + 1
    try:
        return date(int(parts["y"]), month, int(parts["d"]))
    except ValueError:
        return None


def _is_labelled(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 30) : match.start()]
    return bool(_LABEL_BEFORE.search(before) or _LABEL_AFTER.match(text, match.end()))


def _is_alone(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 30) : match.start()]
    opens = _ALONE_BEFORE.search(before) is not None and (match.start() <= 30 or "\n" in before)
    return opens and _ALONE_AFTER.match(text, match.end()) is not None
