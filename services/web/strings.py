"""Every word of the pages, in Korean and English: one table, so that a missing translation is seen.

A `code_…` without words leaves the reader's own sentence, which is in English and more precise.
"""

from typing import Literal

Language = Literal["ko", "en"]

_TABLE: dict[str, tuple[str, str]] = {
    "name": ("서당", "Seodang"),
    "tagline": ("묻고, 원문에서 확인합니다.", "Ask, and see it in the source."),
    "skip": ("질문 칸으로 건너뛰기", "Skip to the question"),
    "ask_label": ("무엇이 궁금하신가요?", "What would you like to know?"),
    "ask_placeholder": ("예: 안전밸브의 작동 압력은?", "For example: at what pressure does the safety valve open?"),
    "ask_button": ("묻기", "Ask"),
    "ask_hint": ("Enter로 묻고, Shift+Enter로 줄을 바꿉니다.", "Enter asks, Shift+Enter starts a new line."),
    "answer": ("답", "Answer"),
    "sources": ("근거", "Sources"),
    "source": ("근거", "Source"),
    "page_n": ("{n}쪽", "page {n}"),
    "open_quote": ("원문에서 보기", "See it in the source"),
    "step_queued": ("차례를 기다리는 중", "Waiting for its turn"),
    "step_retrieve": ("자료를 찾는 중", "Searching the documents"),
    "step_evidence": ("근거를 고르는 중", "Choosing the evidence"),
    "step_decide": ("답할 수 있는지 살피는 중", "Weighing whether it can be answered"),
    "step_answer": ("답을 쓰는 중", "Writing the answer"),
    "step_check": ("원문과 맞춰 보는 중", "Checking it against the sources"),
    "step_verify": ("어긋나는 것이 없는지 보는 중", "Looking for contradictions"),
    "waited": ("{s}초 기다림", "waiting for {s} s"),
    "before": ("앞에 {n}", "{n} before it"),
    "before_foreground": ("앞에 질문 {n}개", "{n} questions before it"),
    "before_study": ("앞에 학습 {n}건", "{n} for study before it"),
    "before_background": ("앞에 뒤에서 하는 일 {n}건", "{n} background jobs before it"),
    "nobody_serves": ("답하는 일꾼이 없습니다. `seodang up`으로 켜 주세요.",
                      "Nobody is there to answer: start it with `seodang up`."),
    "ask_cancelled": ("기다리는 사람이 없어 멈췄습니다.", "Stopped, since nobody waited for the answer."),
    "ask_again": ("다시 묻기", "Ask again"),
    "only_part": ("질문의 일부만 답했습니다.", "Not all of the question is answered."),
    "lacking": ("빠진 부분:", "Missing:"),
    "doubtful": ("확신이 낮습니다. 원문에서 확인해 주세요.", "Confidence is low: check it against the sources."),
    "corrected": ("확인 뒤 고침", "Corrected after the checks"),
    "lost": ("연결이 끊겼습니다. 다시 잇는 중…", "The connection was lost. Resuming…"),
    "done": ("완료", "Done"),
    "took": ("{s}초", "{s} s"),
    "refused": ("답하지 않음", "Not answered"),
    "full": ("모두 답함", "Full answer"),
    "partial": ("일부만 답함", "Partial answer"),
    "insufficient": ("근거 부족", "Not enough evidence"),
    "confidence_high": ("확신 높음", "High confidence"),
    "confidence_medium": ("확신 보통", "Medium confidence"),
    "confidence_low": ("확신 낮음", "Low confidence"),
    "failed_ask": ("이 질문에는 답하지 못했습니다.", "This question could not be answered."),
    "documents": ("자료", "Documents"),
    "documents_none": ("아직 자료가 없습니다. 파일을 올리면 여기에 나타납니다.",
                       "There are no documents yet. Files you add appear here."),
    "more": ("더 보기", "More"),
    "pages": ("{n}쪽", "{n} pages"),
    "pages_one": ("1쪽", "1 page"),
    "add": ("자료 올리기", "Add documents"),
    "add_button": ("파일 고르기", "Choose files"),
    "add_hint": ("여기에 끌어다 놓아도 됩니다. HWP, PDF, 오피스, 전자책, 메일, HTML, 텍스트 — 파일마다 {mib} MiB까지.",
                 "Or drop them here. HWP, PDF, Office files, e-books, mail, HTML, text — up to {mib} MiB each."),
    "too_large": ("너무 큽니다 ({mib} MiB까지)", "Too large (the limit is {mib} MiB)"),
    "uploading": ("올리는 중", "Uploading"),
    "state_pending": ("차례를 기다리는 중", "Waiting"),
    "state_processing": ("읽는 중", "Being read"),
    "state_completed": ("검색할 수 있음", "Ready"),
    "state_failed": ("읽지 못함", "Could not be read"),
    "state_skipped": ("건너뜀", "Skipped"),
    "code_unsupported_format": ("읽을 수 없는 형식입니다. PDF나 DOCX로 저장해 올려 주세요.", ""),
    "code_encrypted": ("암호로 잠긴 파일입니다. 암호 없는 사본을 올려 주세요.", ""),
    "code_corrupt": ("파일이 잘렸거나 손상되었습니다. 다시 받아서 올려 주세요.", ""),
    "code_too_large": ("파일이 너무 큽니다. 나누어 올려 주세요.", ""),
    "code_empty": ("글이 없는 파일입니다. 글자를 인식시킨 PDF를 올려 주세요.", ""),
    "already": ("이미 있는 자료입니다", "Already here"),
    "retry": ("다시 시도", "Try again"),
    "upload_failed": ("올리지 못했습니다", "The upload failed"),
    "work": ("처리 현황", "At work"),
    "gate": ("모델 서버", "Model servers"),
    "gate_line": ("{endpoint}: 사용 중 {inflight}, 대기 {waiting}", "{endpoint}: {inflight} in use, {waiting} waiting"),
    "gate_waits": ("모델 차례를 기다리는 중", "Waiting for its turn at the model"),
    "work_idle": ("기다리는 일이 없습니다.", "Nothing is waiting."),
    "work_away": ("서버의 소식을 기다리는 중…", "Waiting to hear from the server…"),
    "stage": ("단계", "Stage"),
    "waiting": ("대기", "Waiting"),
    "running": ("진행", "Running"),
    "oldest": ("가장 오래된 것", "Oldest"),
    "daemons": ("일꾼", "Workers"),
    "absent": ("없음", "none"),
    "stage_ingest": ("읽기", "Reading"),
    "stage_embed": ("색인", "Indexing"),
    "stage_ocr": ("글자 인식", "Text recognition"),
    "stage_classify": ("분류", "Sorting"),
    "stage_deep": ("깊은 요약", "Summarising"),
    "stage_digest": ("새 문서 요약", "Daily digest"),
    "stage_analyze": ("질문 분석", "Analysing questions"),
    "stage_explanation": ("해설", "Explaining"),
    "stage_synthesis": ("답하기", "Answering"),
    "home": ("처음으로", "Home"),
    "original": ("원본 파일", "Original file"),
    "former_page": ("앞쪽", "Previous page"),
    "next_page": ("뒤쪽", "Next page"),
    "page_of": ("{total}쪽 중 {n}쪽", "Page {n} of {total}"),
    "quote_here": ("인용한 곳", "The quoted passage"),
    "empty_page": ("이 쪽에는 글이 없습니다.", "This page holds no text."),
    "page_ocr": ("그림에서 글자를 인식해 읽은 쪽입니다. 숫자는 원본과 맞춰 보세요.",
                 "Read from a picture by text recognition: check numbers against the original."),
    "page_unread": ("이 쪽은 그림이라 아직 읽지 못했습니다. 원본을 열어 보세요.",
                    "This page is a picture that has not been read: see the original."),
    "routes": ("API", "API"),
    "routes_intro": ("이 서버의 모든 경로입니다. 기계가 읽는 형식은", "Every route of this server. For machines:"),
    "takes": ("보내는 것", "Takes"),
    "gives": ("돌려주는 것", "Gives"),
    "no_script": ("질문하고 올리려면 자바스크립트가 필요합니다.", "Asking and adding files need JavaScript."),
}  # fmt: skip


def strings(language: Language) -> dict[str, str]:
    """Give the table in one language."""
    place = 0 if language == "ko" else 1
    return {key: words[place] for key, words in _TABLE.items()}


def choose_language(accept_language: str) -> Language:
    """Choose the first of the browser's languages that is ours (RFC 9110, 12.5.4); English without one."""
    ranked = sorted(map(_ranked, accept_language.split(",")), key=lambda each: -each[1])
    for name, weight in ranked:
        if weight > 0 and name in ("ko", "en"):
            return "ko" if name == "ko" else "en"
    return "en"


def _ranked(part: str) -> tuple[str, float]:
    tag, _, weight = part.partition(";q=")
    try:
        return tag.strip().lower()[:2], float(weight or 1)
    except ValueError:
        return tag, 0.0
