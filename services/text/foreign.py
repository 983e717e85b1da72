"""Tell that a text is in a language nobody asked for: in another script, or in Latin letters but not in English.

In: an answer, the texts it may quote, and the language wanted. Out: the language, or the script where several languages
share it, or None. What stands word for word in those texts counts for nothing: a name is written as it is there. So
scripts are told from few letters; of languages in Latin letters only what function words tell for sure.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from services.text.language import SYLLABLE_WEIGHT
from services.text.sentences import sentences

_KANA = "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_HAN = "\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
SCRIPTS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "ko": re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]+"),
        "east_asian": re.compile(f"[{_KANA}{_HAN}]+"),
        "ru": re.compile("[\u0400-\u052f]+"),
        "el": re.compile("[\u0370-\u03ff\u1f00-\u1fff]{2,}"),
        "th": re.compile("[\u0e00-\u0e7f]+"),
        "ar": re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]+"),
        "he": re.compile("[\u0590-\u05ff]+"),
        "hi": re.compile("[\u0900-\u097f]+"),
        "other": re.compile("[\u0530-\u058f\u0980-\u0dff\u0e80-\u10ff\u1200-\u137f\u1780-\u17ff]+"),
    }
)
"""By ISO 639-1, as far as a script says so: Ukrainian counts as 'ru', and Persian as 'ar'. A single Greek letter is a
sign of mathematics. Kana makes 'ja' of east_asian, Han alone 'zh'."""
_DENSE = frozenset(("ko", "east_asian"))

FEWEST_LETTERS, FEWEST_HAN = 4, 3
"""Letters of a foreign script, quotations left out, from which a sentence is in it; of Han and Kana, three."""
FOREIGN_SHARE = 0.5
"""More than this share of a sentence's letters must be in the script, a syllable weighing SYLLABLE_WEIGHT."""
FEWEST_WORDS = 3
"""Different function words from which a Latin text is in another language than English, if it has fewer of English."""

_FUNCTION_WORDS = """
en: the of and to is are was were be been that this these those it its which with for by from as at or not but
en: have has had can will would should may must there their they he she his her you your we our if when than then
en: into about no only also more most such any all each how what who
fr: le la les un une des du de et est sont était être dans pour par avec sur pas que qui ce cette ces il elle ils
fr: elles nous vous leur leurs aux au ou où mais donc sans sous entre comme plus ne se sa ses été avait
es: el la los las un una unos unas de del y es son fue ser está están en para por con que se su sus al lo como pero
es: más muy este esta estos estas entre sin sobre desde hasta también cuando donde había
de: der das den dem des ein eine einer einem einen und ist sind wird werden wurde wurden nicht mit für von zu zum
de: zur im auf aus bei nach über unter auch sich sie er es dass oder aber wie als durch vor zwischen kann
it: il lo la gli le un una di del della dei delle e è sono era essere nel nella nello per con che si su sul sulla
it: al alla come ma più questo questa questi anche tra fra non dal dalla quando dove
pt: o os as um uma uns umas de do da dos das e é são foi ser está estão em no na nos nas para por com que se seu
pt: sua ao à como mas mais muito este esta entre sem sobre desde até também quando onde não
nl: de het een en van is zijn was waren wordt werd worden niet met voor op aan bij naar over onder ook zich dat die
nl: deze dit maar als door om te uit tussen kan heeft
vi: của là và các được cho trong không có một những này với để người đã khi từ
id: yang dan di dari untuk dengan pada adalah ini itu tidak dalam oleh akan atau juga
tr: ve bir bu için ile olarak da de çok daha olan gibi en kadar sonra değil ise
pl: i w z na do się jest nie że są to dla przez od po jak oraz który która lub był była
"""


def _tables() -> Mapping[str, frozenset[str]]:
    words: dict[str, frozenset[str]] = {}
    for line in _FUNCTION_WORDS.strip().splitlines():
        language, _, listed = line.partition(": ")
        words[language] = words.get(language, frozenset()) | frozenset(listed.split())
    english = words.pop("en")
    return {language: listed - english for language, listed in words.items()} | {"en": english}


_TABLES = _tables()
"""Words of each language that English has not, and those of English."""
_ENGLISH = _TABLES["en"]
_WORDS = {language: words for language, words in _TABLES.items() if language != "en"}
_LATIN_WORD = re.compile("[A-Za-zÀ-ÖØ-öø-ÿ\u0100-\u024f\u1e00-\u1eff]+")


def foreign(text: str, quoted: Sequence[str], wanted: str) -> str | None:
    """Name the language of the first sentence that is in one nobody asked for, or None.

    Args:
        text: an answer without its markers.
        quoted: texts it may quote: the passages it cites, the question.
        wanted: 'ko' or 'en', the language of the question.
    """
    for span in sentences(text):
        sentence = text[span.start : span.end]
        if found := _by_script(sentence, quoted, wanted):
            return found
    return latin_language(_unquoted(text, quoted))


def question_is_in(question: str, language: str) -> bool:
    """Say whether a question is itself in a language other than ours, so that an answer in it is right."""
    if language in _WORDS:
        question = question.lower()
        return _counts(question)[language] > len(_english(question))
    if language in ("ko", "en"):
        return False
    written = _by_script(question, (), "ko")
    return written == language or {written, language} == {"ja", "zh"}


def latin_language(text: str) -> str | None:
    """Name the language of a Latin text that is surely not English, or None."""
    counts = _counts(text)
    language = max(counts, key=lambda each: counts[each])
    return language if counts[language] >= FEWEST_WORDS and counts[language] > len(_english(text)) else None


def _counts(text: str) -> dict[str, int]:
    """Count the different function words of each language."""
    words = _latin_words(text)
    return {language: len(known & words) for language, known in _WORDS.items()}


def _english(text: str) -> frozenset[str]:
    return _ENGLISH & _latin_words(text)


def _latin_words(text: str) -> frozenset[str]:
    """List the words written small; those in capitals are of names: Los Angeles, Le Monde."""
    return frozenset(match[0] for match in _LATIN_WORD.finditer(text) if match[0].islower())


def _by_script(sentence: str, quoted: Sequence[str], wanted: str) -> str | None:
    letters = dict.fromkeys(SCRIPTS, 0)
    for script, pattern in SCRIPTS.items():
        runs = [run for run in pattern.findall(sentence) if script == wanted or not _stands(run, quoted)]
        letters[script] = sum(map(len, runs))
    latin = sum(map(len, _LATIN_WORD.findall(sentence)))
    whole = latin + sum(_weight(script, count) for script, count in letters.items())
    for script, count in letters.items():
        fewest = FEWEST_HAN if script == "east_asian" else FEWEST_LETTERS
        if script != wanted and count >= fewest and _weight(script, count) > FOREIGN_SHARE * whole:
            return _east_asian(sentence) if script == "east_asian" else script
    return None


def _weight(script: str, count: int) -> float:
    return SYLLABLE_WEIGHT * count if script in _DENSE else count


def _east_asian(sentence: str) -> str:
    return "ja" if re.search(f"[{_KANA}]", sentence) else "zh"


def _stands(piece: str, texts: Iterable[str]) -> bool:
    return any(piece in text for text in texts)


def _unquoted(text: str, quoted: Sequence[str]) -> str:
    """Leave out the sentences that stand in the texts as they are."""
    told = (text[span.start : span.end].strip(" .!?\n") for span in sentences(text))
    return "\n".join(each for each in told if not _stands(each, quoted))
