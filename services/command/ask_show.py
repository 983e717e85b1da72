"""What `seodang ask` prints of an answer: its words, what they leave open, the places they rest on; or the refusal.

In: the public form of an ask. Out: lines on standard output. What we say beside an answer is in the language of the
question, as the answer itself is.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.markup import escape

from services.command.show import out
from services.text.language import reply_language
from services.web.strings import strings

Result = Mapping[str, Any]


def show_answer(result: Result) -> None:
    """Print an answer with what it leaves open and its citations, or the refusal."""
    if not result["refused"]:
        out.print(result["answer"], highlight=False, markup=False)
    show_rest(result)


def show_rest(result: Result) -> None:
    """Print what belongs to an answer whose words are on the screen already; of a refusal everything."""
    if result["refused"]:
        said = strings(reply_language(result["question"]))["refused"]
        out.print(f"[yellow]{said}[/yellow] ({result['refuse_reason']}): {escape(result['answer'])}", highlight=False)
    for line in remarks(result):
        out.print(line, style="yellow", highlight=False, markup=False)
    if result["citations"]:
        out.print()
    for cited in result["citations"]:
        place = f"  [{cited['n']}] {cited['title']}, p. {cited['page']}: “{' '.join(cited['quote'].split())}”"
        out.print(place, highlight=False, markup=False, style="dim")


def remarks(result: Result) -> Iterator[str]:
    """Say what a reader should know of an answer: that it is partial, what is missing, that it is doubtful.

    A refusal says by itself what would be needed; only what its sentence does not name is told beside it.
    """
    said = strings(reply_language(result["question"]))
    if result["completeness"] == "partial":
        yield said["only_part"]
    if missing := parts_left_open(result):
        yield f"{said['lacking']} {'; '.join(missing)}"
    if not result["refused"] and result["confidence"] == "low":
        yield said["doubtful"]


def parts_left_open(result: Result) -> list[str]:
    """Name the parts of a question that are not answered, without those that the text itself names as missing."""
    parts = [" ".join(part.split()) for part in result["missing"]]
    return [part for part in parts if not (result["refused"] and part.rstrip(".?!。") in result["answer"])]


def show_asked(result: Result) -> None:
    """Print an ask of earlier: the question, what became of it, and what no longer reads as it did."""
    out.print(f"[bold]{result['id']}.[/bold] {escape(result['question'])}", highlight=False)
    if result["status"] == "completed":
        show_answer(result)
    else:
        code = f": {result['error_code']}" if result["error_code"] else ""
        out.print(f"[yellow]{result['status']}{code}[/yellow]", highlight=False)
    for each in result["changed"]:
        out.print(f"[yellow]{each['what']} since[/yellow]: {escape(each['title'])}", highlight=False)
    if result["stale"]:
        out.print("The answer may no longer hold: ask again.")
