"""Tiny evaluation sets, written as the real ones are."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

KOREAN = {
    "pump": "순환 펌프의 소비 전력은 1.5 kW이고 점검은 분기마다 한다. 점검표는 기계실 벽에 걸려 있다.",
    "valve": "안전밸브는 매년 4월에 시험하며 작동 압력은 1.2 MPa이다. 시험 성적서는 3년 동안 보관한다.",
    "lift": "승강기의 정원은 열세 명이며 비상 통화 장치는 관리실로 이어진다. 월말에 줄을 살핀다.",
}
ENGLISH = {
    "boiler": "The boiler of the east wing burns natural gas and was inspected by the county in March.",
    "garden": "The garden behind the library has eleven apple trees which volunteers prune every winter.",
}


def write_set(
    folder: Path, passages: Mapping[str, str], questions: Sequence[Mapping[str, Any]], language: str = "ko"
) -> Path:
    """Write a set with a document for each passage; a question names its document as `gold`."""
    folder.mkdir(parents=True)
    corpus = [
        {"doc_id": name, "title": "", "lang": language, "passages": [{"id": f"{name}#00", "text": text}]}
        for name, text in passages.items()
    ]
    asked = [
        {"id": f"{folder.name}-{number}", "set": folder.name, "lang": language, "kind": "answerable", "answers": []}
        | dict(question)
        | {"gold": [f"{gold}#00" for gold in question.get("gold", [])]}
        for number, question in enumerate(questions)
    ]
    for name, values in (("corpus", corpus), ("questions", asked)):
        lines = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in values)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return folder


def two_sets(folder: Path) -> Path:
    """Write a Korean and an English set; of five answerable questions one cannot be found by its words, and of
    the three for whose answers strings are given one holds a string that is not in its passage."""
    write_set(
        folder / "house-ko",
        KOREAN,
        [
            {"text": "순환 펌프의 소비 전력은 몇 kW인가요?", "gold": ["pump"], "answers": ["1.5kW"]},
            {"text": "안전밸브 작동 압력은?", "gold": ["valve"], "choices": ["1.2 MPa", "3년"], "correct": 0},
            {"text": "엘리베이터 몇 사람?", "gold": ["lift"], "yesno": False, "tags": ["synonym"]},
            {"text": "주차장은 어디인가요?", "kind": "withheld"},
        ],
    )
    write_set(
        folder / "house-en",
        ENGLISH,
        [
            {"text": "What does the boiler of the east wing burn?", "gold": ["boiler"], "answers": ["natural gas"]},
            {"text": "How many apple trees are behind the library?", "gold": ["garden"], "answers": ["twelve"]},
            {"text": "What is the name of the mayor of Springfield?", "kind": "withheld"},
            {"text": "Who refuses to prune the Zanzibar cherry trees?", "kind": "adversarial"},
        ],
        "en",
    )
    return folder
