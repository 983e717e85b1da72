"""Questions that nobody asks in earnest: each breaks something somewhere, and none may break a search."""

from random import Random

PIECES = (
    "'; DROP TABLE documents; --", "' OR 1=1 --", "$1", "$$;$$", "%s %(a)s {0} {a}", "E'\\\\x00'", "\\", "\\\\",
    "'", '"',
    "a & b | !c <-> d", "!!!", "((((", "))))", "a:*", "<->", "'a':1A", "a & ", "| b", "!", ":*", "&&&&",
    "(a+)+$", "[", "[^", "(?P<", "(?i", "a{99999}", "\\1", ".*" * 200, "^$", "(?<!",
    "{1:1}/536870911", "{}", "{1,2,3}", "[1,2,3]", "NULL",
    "NaN", "Infinity", "-0", "1e999", "9" * 400, "0" * 400,
    "1,2,3,4,5", "제" * 50 + "조", "제99999999999999999999조의99999999999999999999", "1.2.3.4.5", "٣٤٥", "①②③", "Ⅷ",
    "½",
    "\x00", "\x00\x00안전", "\x01\x02\x1f\x7f", "\r\n\t\v\f", "\u200b\u200c\u200d\ufeff", "\u2028\u2029", "\x85\xa0",
    "😀", "👩‍👩‍👧‍👦", "🏳️‍🌈" * 30, "\U0010ffff", "\ufffe\uffff", "\ue000",
    "שלום", "مرحبا بالعالم", "\u202e안전밸브\u202c", "\u2066a\u2069", "ا" * 300,
    "\ud800", "\udfff", "\ud83d", "a\udcffb", "\udc80" * 20,
    "e" + "\u0301" * 500, "ﷺ" * 200, "İ" * 100, "ß" * 100, "ſ",
    "ᄒ" * 300,    "ㅋ" * 500, "뷁" * 1000, "가" + "\u11a8" * 200,
    "<script>alert(1)</script>", "../../etc/passwd", "%00%ff", "&limit=1&q=2", "#x", "?", "+", "a" * 3999, "a" * 4000,
    "a" * 4001, "ab " * 1400, "안전밸브" * 1000, "알려 주세요", "무엇인가요", "the of and", "?", "   ", "",
)  # fmt: skip
MIB = 1024 * 1024
LONG = ("x" * MIB, "안" * (MIB // 9), "a " * (MIB // 2), "'" * 200_000, "\x00" * 100_000)


def hostile_queries(count: int, seed: int = 5) -> list[str]:
    """Make so many questions, the same for the same seed: every piece, the long ones, many terms, and mixtures."""
    random = Random(seed)
    found = [*PIECES, *LONG, many_terms(10_000, 20), many_terms(1300, 2), noise(random, 4000)]
    while len(found) < count:
        match random.randrange(4):
            case 0:
                found.append(" ".join(random.sample(PIECES, random.randint(2, 6))))
            case 1:
                found.append("".join(random.sample(PIECES, 3)) + "안전밸브")
            case 2:
                found.append(noise(random, random.randint(1, 500)))
            case _:
                found.append(f"안전밸브 {random.choice(PIECES)} 작동 압력")
    return found[:count]


def many_terms(count: int, chars: int) -> str:
    """Write so many different words."""
    return " ".join(f"{number:x}".rjust(chars, "q") for number in range(count))


def noise(random: Random, chars: int) -> str:
    """Write characters of the whole of Unicode, surrogates included."""
    return "".join(chr(random.randrange(0x110000)) for _ in range(chars))
