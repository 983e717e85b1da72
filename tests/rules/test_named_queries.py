"""Every statement of db/sql holds on a migrated database, and every place that asks for one fits it."""

import ast
from pathlib import Path

import asyncpg
import pytest

from db import queries
from db.pool import connect
from db.queries import QUEUE_WORD, Query, all_queries, query
from db.queue import QUEUES
from tests.rules.test_house import calls, sources

pytestmark = pytest.mark.anyio

ASKING = {"one", "many", "value", "none"}
WRITING = {"once", "Write"}


def aimed(asked: Query) -> list[Query]:
    """Give the statement, or one for each queue where it is about any."""
    return [asked.on(table) for table in QUEUES] if QUEUE_WORD in asked.text else [asked]


def text_of(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def columns_of_rows() -> dict[str, set[str]]:
    """Give the fields of every class by name."""
    return {
        node.name: {
            field.target.id
            for field in node.body
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        }
        for _, tree in sources("services", "db")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }


def uses() -> list[tuple[str, str, str | None, set[str] | None]]:
    """Find the places that name a statement: where, which, into which row, with which arguments (None: not said)."""
    found = []
    for place, tree in sources("services", "db"):
        for call in calls(tree):
            verb = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", None)
            into = isinstance(call.func, ast.Attribute) and verb in {"one", "many"}
            at = 1 if into else 0
            if verb not in ASKING | WRITING or len(call.args) <= at or (name := text_of(call.args[at])) is None:
                continue
            row = call.args[0].id if into and isinstance(call.args[0], ast.Name) else None
            named = {word.arg for word in call.keywords if word.arg}
            whole = all(word.arg for word in call.keywords) and verb != "Write"
            found.append((place, name, row, named if whole else None))
    return found


@pytest.fixture
async def connection(dsn: str) -> asyncpg.Connection:
    connection = await connect(dsn, "tests")
    yield connection
    connection.terminate()


async def test_queries__are_accepted_by_postgres_with_their_arguments(connection: asyncpg.Connection) -> None:
    for asked in all_queries().values():
        for each in aimed(asked):
            statement = await connection.prepare(each.text)
            assert len(statement.get_parameters()) == len(each.args), each.name


async def test_queries__give_the_columns_of_the_rows_they_are_read_into(connection: asyncpg.Connection) -> None:
    read, wanted = {(name, row) for _, name, row, _ in uses() if row}, columns_of_rows()
    assert len(read) > 15
    for name, row in sorted(read):
        statement = await connection.prepare(aimed(query(name))[0].text)
        columns = [attribute.name for attribute in statement.get_attributes()]
        assert set(columns) == wanted[row], f"{name} -> {row}"


def test_callers__name_statements_that_exist_with_their_arguments() -> None:
    for place, name, _, named in uses():
        assert name in all_queries(), f"{place} asks for {name}"
        if named is not None:
            assert named == set(query(name).args), f"{place} asks for {name}"


def test_queries__are_all_asked_for() -> None:
    said = {text_of(node) for _, tree in sources("services", "db") for node in ast.walk(tree)}
    assert sorted(set(all_queries()) - said) == []


def test_queries__begin_with_a_header_and_name_their_columns() -> None:
    for asked in all_queries().values():
        body = "\n".join(line for line in asked.text.splitlines() if not line.lstrip().startswith("--"))
        assert "SELECT *" not in body, asked.name


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("-- name: a(x) -> one\nSELECT 1", "header names 1 arguments, text uses"),
        ("-- name: a() -> one\nSELECT $1", "header names 0 arguments, text uses"),
        ("-- name: a(x, y) -> one\nSELECT $1, $3", "header names 2 arguments, text uses"),
    ],
)
def test_header__that_does_not_fit_its_text_is_refused(
    text: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.sql").write_text(text)
    monkeypatch.setattr(queries, "SQL_DIR", tmp_path)
    with pytest.raises(ValueError, match=complaint):
        all_queries.__wrapped__()


def test_name__that_is_defined_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in ("a.sql", "b.sql"):
        (tmp_path / file).write_text("-- name: same() -> one\nSELECT 1;\n")
    monkeypatch.setattr(queries, "SQL_DIR", tmp_path)
    with pytest.raises(ValueError, match=r"b\.sql: same is defined twice"):
        all_queries.__wrapped__()


def test_header__is_followed_by_the_text_without_its_end() -> None:
    asked = query("serve_version")
    assert (asked.args, asked.kind) == (("document_id", "version", "chunker"), "none")
    assert not asked.text.endswith(";")
    assert asked.order({"version": 2, "chunker": "e", "document_id": 1}) == [1, 2, "e"]
