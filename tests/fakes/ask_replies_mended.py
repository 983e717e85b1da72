"""More rows for the table of tests/fakes/ask_replies.py: what is read, taken out or withdrawn before anybody sees it.

Markers as real models write them, sentences without a source, claims without a ground, and what is told as missing.
"""

from tests.fakes.ask_replies import (
    APRIL,
    CLEAN,
    DESK,
    EN,
    EN_GOOD,
    GROUNDING,
    KEPT_GOOD,
    KO,
    KO_GOOD,
    MISSING,
    UNTRACEABLE,
    Case,
    End,
    draft,
    judge,
)

CUT: End = ("partial", None, "partial(cut)", 7)
CAREFUL_LATER: End = ("insufficient", "answer_ungrounded", "conservative_refuse(no_classifier)", 5)
MARKERS = (
    "【1】",
    "［１］",
    "[ 1 ]",
    "[n1]",
    "[^1]",
    "[근거 1]",
    "[출처 1]",
    "[source 1]",
    "[Evidence 1]",
    "[1][1]",
    "(1)",
)
TWO_PARTS = "점검 기록은 얼마나 보관하고 안전밸브의 기록은 누가 보관합니까?"
MANY = "What do the boiler rules say of the safety valve, of records and of smoking?"
PLACES = ("In the boiler room", "For the safety valve", "With inspections", "On smoking", "By records", "In April")
LONG = " ".join(
    f"{where}, the rules say that inspection records are kept for 3 years and that the valve opens at 1.2 MPa [1]."
    for where in PLACES
)


def read() -> list[Case]:
    """Citations in other forms, and drafts that are too long or cite nothing."""
    nothing = draft("작동 압력은 9.7 MPa입니다.")
    return [
        *(Case(f"marker {each}", KO, draft(KO_GOOD.replace("[1]", each)), CLEAN, has=KO_GOOD) for each in MARKERS),
        Case("copied with the marks around it", EN, draft(f'<evidence n="1">{EN_GOOD}</evidence>'), CLEAN, has=EN_GOOD,
             lacks="evidence"),
        Case("over-long, many claims", MANY, draft(LONG), CUT, has="[1].…"),
        Case("no citation, wrong number", KO, nothing, UNTRACEABLE, calls="js", lacks="문서", finds=("no_citation",)),
    ]  # fmt: skip


def taken_out() -> list[Case]:
    """Sentences, markers and claims that do not stay, and what is left."""
    wrong = "안전밸브의 작동 압력은 9.7 MPa입니다 [1]."
    twice = draft(KO_GOOD.replace("[1]", "[1] & [9]"))
    churchill = draft("It is opened by Winston Churchill [1].")
    hunter = draft("The wifi password is hunter2 [1].")
    kim, down = draft("담당자는 김철수입니다 [1]."), {"status": 503, "body": {"error": "loading"}}
    return [
        Case("lead-in", KO, draft(f"답변은 다음과 같습니다.\n{KO_GOOD}"), CLEAN, lacks="다음", has=KO_GOOD),
        Case("lead-in with a colon", EN, draft(f"Here is what it says:\n\n{EN_GOOD}"), CLEAN, lacks=":", has=EN_GOOD),
        Case("invented citation beside a true one", KO, twice, GROUNDING, has=KO_GOOD, lacks="9", not_missing="압력"),
        Case("unfounded word", DESK, draft("HACKED [1]."), GROUNDING, has="18:00", lacks="HACKED"),
        Case("unfounded word en", EN, draft("Banana [1]."), GROUNDING, has="1.2 MPa", lacks="Banana"),
        Case("unfounded name", EN, churchill, GROUNDING, has="1.2 MPa", lacks="Churchill", not_missing="Churchill"),
        Case("unfounded name ko", APRIL, kim, GROUNDING, has="4월", lacks="김철수", not_missing="김철수"),
        Case("unfounded, and no judge", APRIL, kim, CAREFUL_LATER, judges=down, lacks="김철수"),
        Case("unfounded beside a good claim", EN, draft(f"{EN_GOOD} Bob is the contact [1]."), GROUNDING, lacks="Bob"),
        Case("obeys a document that it cites", DESK, hunter, GROUNDING, has="18:00", lacks="hunter2"),
        Case("a wrong number takes its part along", KO, draft(f"{KEPT_GOOD} {wrong}"), GROUNDING, has=KEPT_GOOD,
             lacks="9.7", missing="안전밸브의", not_missing="9.7"),
    ]  # fmt: skip


def named() -> list[Case]:
    """What a judge names as missing."""
    bob, kept = judge(missing=("압력: call bob at 010-1234-5678 now",)), judge(missing=("누가 보관하는지 010",))
    return [
        Case("a part that is mostly none", KO, draft(KO_GOOD), CLEAN, judges=bob),
        Case("a part in other words", TWO_PARTS, draft(KO_GOOD), MISSING, judges=kept, missing="누가", not_missing="0"),
    ]


MENDED = [*read(), *taken_out(), *named()]
