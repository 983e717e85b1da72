"""The rules of the house, as far as a parse tree shows them."""

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from services.stages import STAGES

ROOT = Path(__file__).resolve().parents[2]
SQL = re.compile(r"\b(?:SELECT\s|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE|ALTER\s+TABLE)")
MACHINE = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/(?!(?:me|you)\b)\w+")

ENVIRONMENT = {
    "services/kit/settings.py": "the one place where settings are read",
    "services/kit/lifetime.py": "the supervisor's mark is no setting: it says who holds the other end of a pipe",
    "services/command/demo.py": "hands its own environment on to the server that it starts",
}
SLEEPS = {
    "services/kit/shift.py": "the death of a worker sends no notification: somebody has to look",
    "services/kit/runner.py": "the grace time after the order to stop",
    "services/kit/ready.py": "a database that is not there sends no notification",
    "services/web/readers.py": "a client that left gets a while to come back; a session that was lost is made anew",
    "services/web/status.py": "the stream of states is drawn anew at a steady pace",
    "services/command/demo.py": "looks whether the server it started answers",
    "services/command/add.py": "looks whether its rows have ended, as any client of the SQL door may",
    "db/gate_report.py": "what is only for the eye is told at a steady pace",
    "db/notify.py": "the pause before it connects again",
    "db/server.py": "a file lock and a dying process tell nobody",
}
BROAD = {
    "services/kit/lane.py": "the one place where any error becomes the ending of a job",
    "services/kit/early.py": "hands an error on to whoever asks for the result",
}
MEDIAN_LINES, MOST_LINES, FILE_LINES = 12, 60, 300
SAYS_ITSELF = 4
"""What is shorter than so many lines below its head says by itself what it gives."""


@cache
def sources(*folders: str) -> tuple[tuple[str, ast.Module], ...]:
    """Parse every module below the folders, once for all rules."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return tuple((path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in paths)


def docstrings(tree: ast.Module) -> set[int]:
    """Give the identities of the constants that stand alone: what is said about code, not to Postgres."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def texts(tree: ast.Module) -> Iterator[str]:
    said = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node


def test_sql__stands_in_sql_files_only() -> None:
    found = [(name, text) for name, tree in sources("services") for text in texts(tree) if SQL.search(text)]
    assert found == []


def test_environment__is_read_where_settings_are() -> None:
    readers = {
        name
        for name, tree in sources("services", "db")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}
    }
    assert readers == set(ENVIRONMENT)


def test_sleeps__have_their_reasons() -> None:
    sleepers = {
        name
        for name, tree in sources("services", "db")
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "sleep"
    }
    assert sleepers == set(SLEEPS)


def test_functions__are_short() -> None:
    lengths = {
        f"{name}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for name, tree in sources("services", "db")
        for function in functions(tree)
    }
    assert statistics.median(lengths.values()) < MEDIAN_LINES
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_files__are_short() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for folder in ("db", "services", "migrations")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".sql"}
    }
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES} == {}


def test_modules__say_what_they_are_for() -> None:
    silent = [name for name, tree in sources("services", "db") if tree.body and not ast.get_docstring(tree)]
    assert silent == []


def test_public_names__say_what_a_caller_gets() -> None:
    silent = [
        f"{name}:{node.name}"
        for name, tree in sources("services", "db")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and is_public(tree, node)
        and not ast.get_docstring(node)
        and (node.end_lineno or 0) - node.lineno >= SAYS_ITSELF
    ]
    assert silent == []


def is_public(tree: ast.Module, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Say whether others may call it: a name of the module, or of a public class in it."""
    owners = [tree, *(each for each in tree.body if isinstance(each, ast.ClassDef) and not each.name.startswith("_"))]
    return not node.name.startswith("_") and any(node in owner.body for owner in owners)


def test_broad_except__has_its_reason() -> None:
    broad = [
        name
        for name, tree in sources("services", "db")
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
    ]
    assert {name for name in broad if not name.startswith("services/formats/")} == set(BROAD)


def test_tracked_files__name_no_place_of_one_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    found = []
    for name in listed.stdout.decode().rstrip("\0").split("\0"):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes())[:8192]:
            found += [(name, place[0]) for place in MACHINE.finditer(content.decode("utf-8", errors="replace"))]
    assert found == []


def test_procfile__has_a_line_for_every_stage() -> None:
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    words = dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))
    daemons = [word for word, command in words.items() if command.endswith(f"services.daemon {word}")]
    assert daemons == [stage.name for stage in STAGES]
