"""What a row and a place in the watched folder say about a file."""

import unicodedata
from datetime import date
from pathlib import Path, PurePosixPath

import pytest
from pydantic import ValidationError

from db.rows import InboxRow
from services.document.filing import Labels, fits, labels_of
from services.kit.document_settings import SHIPPED_RULES, FolderRule

INBOX = Path("/srv/inbox")


def inbox_row(path: str | None = "/srv/inbox/KGS/FP112/code.pdf", **values: object) -> InboxRow:
    defaults = {
        "id": 1, "filename": None, "has_content": path is None, "sha256": None, "collection": "default",
        "material_type": None, "jurisdiction": None, "published_date": None, "license": None, "user_id": 1,
        "document_id": None,
    }  # fmt: skip
    return InboxRow(path=path, **defaults | values)  # type: ignore[arg-type]


def labels(row: InboxRow, rules: tuple[FolderRule, ...] = SHIPPED_RULES) -> Labels:
    return labels_of(row, rules, INBOX)


@pytest.mark.parametrize(
    ("path", "kind", "jurisdiction", "license_"),
    [
        ("KGS/FP112/code.pdf", "law", "KR", {"name": "kogl", "restricted": False}),
        ("Books/a.pdf", "book", None, {"restricted": True}),
        ("Books/deep/er/a.pdf", "book", None, {"restricted": True}),
        ("Papers_Purchased/a.pdf", "paper", None, {"restricted": True}),
        ("Manuals/a.pdf", "manual", None, {"restricted": False}),
    ],
)
def test_labels__follow_the_folder(path: str, kind: str, jurisdiction: str | None, license_: dict[str, object]) -> None:
    found = labels(inbox_row(f"/srv/inbox/{path}"))
    assert found == Labels("default", kind, jurisdiction, None, {"license": license_})


@pytest.mark.parametrize(
    "path", [None, "/srv/inbox/a.pdf", "/elsewhere/KGS/a.pdf", "/srv/inbox2/KGS/a.pdf", "KGS/a.pdf"]
)
def test_labels__say_nothing_where_no_rule_fits(path: str | None) -> None:
    assert labels(inbox_row(path)) == Labels("default", None, None, None, {})


def test_labels__of_the_row_go_before_those_of_the_folder() -> None:
    own = {"material_type": "note", "jurisdiction": "US", "published_date": date(2024, 3, 5), "collection": "mine",
           "license": {"name": "own", "restricted": True}}  # fmt: skip
    rule = FolderRule(pattern="KGS/**", material_type="law", jurisdiction="KR", collection="codes", license="kogl")
    found = labels(inbox_row(**own), (rule,))
    assert found == Labels("mine", "note", "US", date(2024, 3, 5), {"license": {"name": "own", "restricted": True}})


def test_labels__join_both() -> None:
    rule = FolderRule(pattern="KGS/**", material_type="law", collection="codes")
    found = labels(inbox_row(jurisdiction="US"), (rule,))
    assert (found.collection, found.material_type, found.jurisdiction) == ("codes", "law", "US")


def test_labels__come_from_the_first_rule_that_fits() -> None:
    rules = (FolderRule(pattern="KGS/FP*/**", material_type="code"), FolderRule(pattern="**", material_type="rest"))
    assert labels(inbox_row(), rules).material_type == "code"
    assert labels(inbox_row("/srv/inbox/a.pdf"), rules).material_type == "rest"


@pytest.mark.parametrize(("name", "series"), [("KGS_AC111 a.pdf", "AC111"), ("법 2024.pdf", None), ("KGS  .pdf", None)])
def test_labels__take_the_law_from_the_files_name(name: str, series: str | None) -> None:
    rule = FolderRule(pattern="KGS/**", series=r"^KGS[ _](\w*)")
    assert labels(inbox_row(f"/srv/inbox/KGS/{name}"), (rule,)).series == series


def test_labels__know_a_name_in_decomposed_hangul() -> None:
    rule = FolderRule(pattern="KGS/**", series="^(안전법)")
    name = unicodedata.normalize("NFD", "안전법 2024.pdf")
    assert labels(inbox_row(f"/srv/inbox/KGS/{name}"), (rule,)).series == "안전법"


@pytest.mark.parametrize("series", ["(", "KGS"])
def test_rule__whose_series_finds_no_name_is_refused(series: str) -> None:
    with pytest.raises(ValidationError, match="series"):
        FolderRule(pattern="**", series=series)


@pytest.mark.parametrize(
    ("path", "pattern", "fitting"),
    [
        ("Books/a.pdf", "Books/**", True),
        ("Books/b/c/a.pdf", "Books/**", True),
        ("books/a.pdf", "Books/**", False),
        ("My Books/a.pdf", "Books/**", False),
        ("a.pdf", "**", True),
        ("a.pdf", "*.pdf", True),
        ("b/a.pdf", "*.pdf", False),
        ("b/a.pdf", "**/*.pdf", True),
        ("a.pdf", "**/*.pdf", True),
        ("x/y/법령/z/a.hwp", "**/법령/**/*.hwp", True),
        ("x/a.hwp", "**/법령/**/*.hwp", False),
        ("a/b", "a/?", True),
        ("a/bc", "a/?", False),
        ("a/b", "a", False),
        ("a", "a/b", False),
    ],
)
def test_fits__spans_folders_with_two_stars_and_names_with_one(path: str, pattern: str, fitting: bool) -> None:
    assert fits(PurePosixPath(path), pattern) is fitting
