"""Words of an answer that say nothing of a passage: yes and no, "it is stated that", 다음과 같습니다.

Data and one rule each for English and Korean. An answer may have them whatever its source says, so they neither tie a
claim to a passage nor speak against it; whoever adds some adds what any true answer may be dressed in.
"""

import re

from services.answer.support_words import ASKING, Wanted
from services.text.terms import terms

_ENGLISH = """
yes no yeah yep nope okay correct right true false indeed allow allowed permitted permissible forbidden prohibited
banned required requires necessary needed need must mandatory compulsory optional possible impossible able unable
applicable accordingly according stated states says said mentioned mentions described describes indicated specified
specifies defined defines shown shows listed given provided answer answers question document documents passage passages
text source sources page evidence information follows following respectively also however therefore thus hence
approximately about around exactly only simply every each sure certainly based summary short yet still always never
applies refers means case thing way well good used uses set
"""
_LIGHT_STEMS = ASKING | frozenset(terms(_ENGLISH))

_BEFORE_VERB = (
    "정|말|설명|명시|규정|기재|기술|언급|제시|정의|의미|안내|답변|요약|포함|해당|관련|필요|가능|불가능|불가|금지|허용|허가"
    "|필수|의무|선택|확인|적용|사용|대|위|통|의|관|향|인|뜻|그러|이러|어떠"
)
_VERB = "하|되|해|돼|됐|했|합|됩|한|된|할|될|함|됨|드리|드립|이|입|인|였"
_OTHER = (
    "있|없|않|같|아니|아닙|맞|따르|따라|따른|따릅|나와|나옵|나온|적혀|쓰여|써|정해|알려|알|볼|보|그렇|이렇|어떻|모두|모든"
    "|각각|각|매우|또는|또한|그리고|그러나|하지만|다만|따라서|그래서|즉|네|예|아니요|아니오|때문|경우|다음|이상|이하|것|수|때"
    "|등|및|더|바|점|위|여기|거기|이것|그것|해당|관련|대로|답|답변|질문|문서|자료|지문|본문|내용|근거|출처|반드시|정도|약"
)
_ENDING = (
    "습니다|니다|다|는|은|던|며|고|여|야|서|지|게|면|도록|어|아|었|았|으며|으면|을|를|음|기|져|집|진|요|까|이|가|에|에는|로"
    "|으로|의|도|만|과|와|라고|라는|ㄴ"
)
_LIGHT_KOREAN = re.compile(
    rf"(?:(?:{_BEFORE_VERB})(?:{_VERB})?|(?:{_VERB})|(?:{_OTHER}))(?:{_ENDING})*(?:{_VERB})?(?:{_ENDING})*"
)


def is_light(word: Wanted) -> bool:
    """Say whether a word may stand in any answer."""
    if word.hangul:
        return len(word.form) < 2 or _LIGHT_KOREAN.fullmatch(word.form) is not None
    return word.form in _LIGHT_STEMS
