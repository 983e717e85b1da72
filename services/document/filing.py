"""What a file's row and its place in the watched folder say about it: pure, and never asked of a model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from db.rows import InboxRow
from services.kit.document_settings import FolderRule
from services.text.normalise import normalise


@dataclass(frozen=True, slots=True)
class Labels:
    """Fields that were set by the caller or by a rule; None where nobody said anything."""

    collection: str
    material_type: str | None
    jurisdiction: str | None
    published_date: date | None
    extract_meta: dict[str, Any]
    series: str | None = None


def labels_of(row: InboxRow, rules: Sequence[FolderRule], inbox_dir: Path) -> Labels:
    """Join the row's own values with the first folder rule that fits; the row's go first."""
    rule = _rule_for(row.path, rules, inbox_dir)
    collection = row.collection if row.collection != "default" or rule is None else rule.collection
    license_ = row.license if row.license is not None else _license(rule)
    return Labels(
        collection=collection or row.collection,
        material_type=row.material_type or (rule.material_type if rule else None),
        jurisdiction=row.jurisdiction or (rule.jurisdiction if rule else None),
        published_date=row.published_date,
        extract_meta={} if license_ is None else {"license": license_},
        series=_series(rule, row),
    )


def _series(rule: FolderRule | None, row: InboxRow) -> str | None:
    """Give what the rule's first group finds in the file's name: the law of which the file is one version."""
    if rule is None or rule.series is None:
        return None
    found = re.search(rule.series, normalise(row.filename or PurePosixPath(row.path or "").name))
    return (found[1] or "").strip() or None if found else None


def _license(rule: FolderRule | None) -> dict[str, Any] | None:
    if rule is None:
        return None
    named = {"name": rule.license} if rule.license else {}
    return {**named, "restricted": rule.restricted}


def _rule_for(path: str | None, rules: Sequence[FolderRule], inbox_dir: Path) -> FolderRule | None:
    if path is None:
        return None
    try:
        below = PurePosixPath(Path(path).relative_to(inbox_dir).as_posix())
    except ValueError:
        return None
    return next((rule for rule in rules if fits(below, rule.pattern)), None)


def fits(path: PurePosixPath, pattern: str) -> bool:
    """Match a path against a glob in which `**` spans any number of folders (Path.match has it from 3.13 on)."""
    return _fits(path.parts, PurePosixPath(pattern).parts)


def _fits(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns:
        return not parts
    if patterns[0] == "**":
        return any(_fits(parts[skipped:], patterns[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and PurePosixPath(parts[0]).match(patterns[0]) and _fits(parts[1:], patterns[1:])
