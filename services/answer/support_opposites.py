"""Words that exclude each other: a question about the *last* war is not answered by a sentence about the *first*.

Data and one rule: sets of English words of which a thing is one and not another, and prefixes that turn a word round.
General words only; whoever adds some adds what excludes each other in any text.
"""

from collections.abc import Iterator, Mapping
from itertools import permutations
from types import MappingProxyType

from services.text.terms import terms

_SETS = """
first second third fourth fifth last final, 1st 2nd 3rd 4th, before after during, earlier later, early late middle,
previous next following, former latter current, old new, older newer younger, oldest newest youngest, ancient modern,
past present future, spring summer autumn winter, morning evening afternoon night, day night, monday tuesday wednesday
thursday friday saturday sunday, january february march april may june july august september october november december,
north south east west, northern southern eastern western, northeast northwest southeast southwest,
left right, top bottom, upper lower, above below, over under, inside outside, internal external, inner outer,
interior exterior, front back rear, near far, nearest farthest, local global national international, domestic foreign,
urban rural, land sea air, high low, higher lower, highest lowest, tall short, long short, longer shorter,
longest shortest, large small, larger smaller, largest smallest, big little, bigger smaller, biggest smallest,
wide narrow, deep shallow, thick thin, heavy light, heavier lighter, fast slow, faster slower, strong weak,
stronger weaker, hard soft, hot cold, warm cool, wet dry, bright dark, black white, red blue green yellow,
more less fewer, most least fewest, many few, much little, all none some, every no, both neither either,
maximum minimum, increase decrease, increased decreased, increasing decreasing, rise fall, rose fell, rising falling,
grow shrink, gain lose loss, gained lost, win lose, won lost, victory defeat, success failure, succeed fail,
succeeded failed, begin end, began ended, beginning ending, start stop end finish, started stopped ended finished,
open close, opened closed, enter leave exit, arrive depart, import export, imported exported, buy sell, bought sold,
give take, gave took,
send receive, sent received, borrow lend, hire fire, build destroy, built destroyed, create destroy,
created destroyed, add remove, added removed, include exclude, included excluded, accept reject refuse,
accepted rejected refused, approve reject, approved rejected, support oppose, supported opposed, supporter opponent,
agree disagree, agreed disagreed, allow forbid ban prohibit, allowed forbidden banned prohibited, require forbid,
encourage discourage prevent, encouraged discouraged prevented, cause prevent, help harm hinder, protect attack,
love hate, like dislike, admit deny, admitted denied, remember forget, found lost, save waste, keep discard,
join leave, joined left, unite divide, united divided, combine separate, combined separated, connect disconnect,
strengthen weaken, strengthened weakened, improve worsen, improved worsened, raise lower, raised lowered,
expand shrink contract, expanded contracted, attract repel, absorb emit release, push pull, float sink,
good bad, better worse, best worst, positive negative, advantage disadvantage, strength weakness, benefit harm,
true false, correct wrong, right wrong, easy difficult hard, simple complex, possible impossible, legal illegal,
formal informal, direct indirect, active passive, major minor, primary secondary, main minor, general specific,
common rare, often rarely seldom never, always never sometimes, usual unusual, same different, similar different,
alike unlike, equal unequal, public private, male female, man woman, men women, boy girl, father mother, son daughter,
brother sister, husband wife, uncle aunt, king queen, prince princess, emperor empress, actor actress, parent child,
teacher student, employer employee, buyer seller, master slave, rich poor, wealthy poor, expensive cheap, free paid,
rights duties, guilty innocent, alive dead, born died, birth death, marry divorce, war peace, friend enemy,
ally enemy, offense defense, attack defend, attacked defended, conservative liberal, left-wing right-wing,
republican democrat, catholic protestant, christian muslim jewish, religious secular, civil military criminal,
science art, physical mental, mind body, human animal, plant animal, solid liquid gas, metal gas, acid base,
odd even, finite infinite, prime composite, sum product, plus minus, numerator denominator, input output,
hardware software, analog digital, manual automatic, natural artificial, real imaginary, theory practice,
permanent temporary, stable unstable, constant variable, regular irregular, known unknown, certain uncertain,
visible invisible, dependent independent, voluntary compulsory mandatory, optional mandatory, majority minority,
whole part, single double multiple, singular plural, alone together, one two three four five six seven eight nine ten,
asia europe africa america australia, hundred thousand million billion
"""

_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non", "anti", "de", "mis")


def _stem(word: str) -> str:
    return (terms(word) or [word])[0]


def _opposites() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for group in _SETS.split(","):
        stems = {_stem(word) for word in group.split()}
        for one, other in permutations(stems, 2):
            found.setdefault(one, set()).add(other)
    return MappingProxyType({stem: frozenset(others) for stem, others in found.items()})


_OPPOSITES = _opposites()


def opposites(stem: str) -> Iterator[str]:
    """Give stems and words that exclude a word; the word is given as `terms` gives it, or as it stands in the text."""
    yield from _OPPOSITES.get(stem, ())
    for prefix in _PREFIXES:
        yield prefix + stem
        if stem.startswith(prefix) and len(stem) - len(prefix) >= 4:
            yield stem.removeprefix(prefix)
