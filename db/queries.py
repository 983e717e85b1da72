"""The statements of db/sql by name: the only text that is sent to Postgres.

In: files with `-- name: verb_noun(arg, …) -> one|many|value|none`, a sentence, then the text with $1…$n.
Out: `Query` values. Refuses a file whose header and placeholders do not fit together.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

SQL_DIR = Path(__file__).parent / "sql"
HEADER = re.compile(r"^-- name: (?P<name>\w+)\((?P<args>[^)]*)\) -> (?P<kind>one|many|value|none)$", re.MULTILINE)
QUEUE_WORD = "a_queue"


@dataclass(frozen=True, slots=True)
class Query:
    """One named statement; `args` are the names of $1…$n in order."""

    name: str
    args: tuple[str, ...]
    kind: str
    text: str

    def order(self, given: Mapping[str, object]) -> list[object]:
        """Put keyword values into the order of the placeholders.

        Raises:
            TypeError: a value is missing or not asked for.
        """
        if given.keys() != set(self.args):
            raise TypeError(f"{self.name} takes {self.args}, not {tuple(given)}")
        return [given[name] for name in self.args]

    def on(self, table: str) -> "Query":
        """Aim a statement about `a_queue` at one queue; `table` comes from db/queue.py's closed list only."""
        return replace(self, text=self.text.replace(QUEUE_WORD, table))


def _parse(text: str) -> Iterator[Query]:
    headers = list(HEADER.finditer(text))
    ends = [found.start() for found in headers[1:]] + [len(text)]
    for found, end in zip(headers, ends, strict=True):
        args = tuple(arg.strip() for arg in found["args"].split(",") if arg.strip())
        body = text[found.end() : end].strip().rstrip(";")
        used = {int(number) for number in re.findall(r"\$(\d+)", body)}
        if used != set(range(1, len(args) + 1)):
            raise ValueError(f"{found['name']}: header names {len(args)} arguments, text uses {sorted(used)}")
        yield Query(found["name"], args, found["kind"], body)


@cache
def all_queries() -> Mapping[str, Query]:
    """Read every file of db/sql once.

    Raises:
        ValueError: two statements share a name, or a header does not fit its text.
    """
    found: dict[str, Query] = {}
    for path in sorted(SQL_DIR.glob("*.sql")):
        for query in _parse(path.read_text(encoding="utf-8")):
            if query.name in found:
                raise ValueError(f"{path.name}: {query.name} is defined twice")
            found[query.name] = query
    return found


def query(name: str) -> Query:
    """Give the statement of that name.

    Raises:
        KeyError: no file of db/sql has it.
    """
    return all_queries()[name]
