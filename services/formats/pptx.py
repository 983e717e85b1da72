"""PPTX -> one page per slide, hidden ones too: its title as a heading, then shapes, charts, notes and comments.

The order is that of the slide's own tree, the one screen readers take, with the title first. python-pptx opens the
package and knows the slides; the text is walked in the XML, because its shapes leave out alternative content, SmartArt
and comments. Slide numbers and the texts of masters and layouts are left out.
"""

from collections.abc import Iterator
from typing import Any

from pptx.exc import PythonPptxError
from pptx.opc.package import PartFactory
from pptx.package import Package
from pptx.parts.presentation import PresentationPart

from services.formats import archive, tables
from services.formats.markup import Element, attribute, local, named, parsed
from services.formats.page import FormatError, Header, Page
from services.formats.parts import MAX_LABEL_CHARS
from services.formats.sniff import OTHER_PPTX, Family
from services.formats.source import Source
from services.text.normalise import normalise

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_TITLES = frozenset({"title", "ctrTitle"})
_UNSPOKEN = frozenset({"sldNum", "sldImg"})  # placeholders: the slide's number, on notes its small picture
_NOTES_ONLY_BODY = _UNSPOKEN | {"hdr", "ftr", "dt"}
_FRAMES = frozenset({"spTree", "grpSp", "AlternateContent", "Choice"})  # hold shapes; Fallback repeats Choice
_PICTURES_ONLY = "This slide holds only pictures, whose text is not read; save the slides as PDF and add that."
_WORTHLESS_TITLES = frozenset({"powerpoint presentation", "powerpoint 프레젠테이션", "슬라이드 1", "slide 1"})
PartFactory.part_type_for.update(dict.fromkeys(OTHER_PPTX, PresentationPart))  # two of them it does not know
_SIGNS = {"br": "\n", "tab": "\t"}
_Part = Any  # of python-pptx


def parse(source: Source) -> Iterator[Header | Page]:
    """Give a page per slide. Raises FormatError: "encrypted", "corrupt", "too_large", "empty"."""
    with source.open() as file:
        with archive.open_zip(file) as package:
            archive.check(package, source.max_unpacked_bytes)
        file.seek(0)
        show = _open(file)
        pages = [_page(number, slide) for number, slide in enumerate(_slides(show), start=1)]
    if not any(page.text for page in pages):
        message = "The slides hold no text; if they hold pictures of text, save them as PDF and add that."
        raise FormatError("empty", message)
    yield Header(Family.PPTX, _title(show, pages))
    yield from pages


def _open(file: Any) -> Any:
    try:
        show = Package.open(file).main_document_part
        show.presentation.slides  # noqa: B018  a part of another kind has none
    except (*archive.READ_ERRORS, PythonPptxError, KeyError, AttributeError, SyntaxError) as error:
        raise archive.damaged(error) from error
    return show


def _slides(show: Any) -> Iterator[_Part]:
    """Give the parts of the slides in the order of the show. Raises FormatError "corrupt" where one is missing."""
    for entry in next(named(show._element, "sldIdLst"), ()):  # the list of sections names the slides once more
        try:
            yield show.related_part(entry.get(f"{_R}id"))
        except KeyError as error:
            raise archive.damaged(error) from error


def _title(show: Any, pages: list[Page]) -> str:
    title = _line(show.core_properties.title)
    if title and title.lower() not in _WORTHLESS_TITLES:
        return title
    return next((page.label for page in pages if page.text.startswith("# ")), "")


def _line(text: str) -> str:
    return " ".join(normalise(text).split())


def _page(number: int, slide: _Part) -> Page:
    tree = next(named(slide._element, "spTree"), None)
    shapes = list(_shapes(tree)) if tree is not None else []
    title = next((words for shape in shapes if _place(shape) in _TITLES and (words := _line(_text(shape)))), "")
    blocks = [f"# {title}"] if title else []
    blocks += [_block(shape, slide) for shape in shapes if _place(shape) not in _TITLES or _line(_text(shape)) != title]
    blocks += [*_notes(slide), *_comments(slide)]
    text = normalise("\n\n".join(block for block in blocks if block.strip()))
    if not text and tree is not None and next(named(tree, "pic"), None) is not None:
        return Page(number, str(number), "", origin="unread", note=_PICTURES_ONLY)
    return Page(number, title[:MAX_LABEL_CHARS] or str(number), text)


def _shapes(tree: Element) -> Iterator[Element]:
    """Give the shapes in the order of the tree, out of their groups. Iterative: groups may nest without limit."""
    stack = [tree]
    while stack:
        element = stack.pop()
        if local(element) in _FRAMES:
            stack.extend(reversed(element))
        elif local(element) in ("sp", "graphicFrame", "cxnSp"):
            yield element


def _place(shape: Element) -> str:
    """Give the kind of the placeholder that the shape fills, "" for none."""
    for properties in shape:
        if local(properties).startswith("nv"):
            holder = next(named(properties, "ph"), None)
            return "" if holder is None else holder.get("type") or "body"
    return ""


def _block(shape: Element, part: _Part, unspoken: frozenset[str] = _UNSPOKEN) -> str:
    if _place(shape) in unspoken:
        return ""
    if local(shape) != "graphicFrame":
        return _text(shape)
    table = next(named(shape, "tbl"), None)
    if table is not None:
        return "\n".join(tables.markdown_rows([[_text(cell) for cell in row.iter(f"{_A}tc")] for row in _rows(table)]))
    return "\n".join(filter(None, (_drawn(each, part) for each in shape.iter())))


def _rows(table: Element) -> Iterator[Element]:
    return (row for row in table if local(row) == "tr")


def _text(element: Element) -> str:
    """Give the paragraphs below `element`, one a line."""
    return "\n".join(_paragraph(each) for each in element.iter(f"{_A}p")).strip("\n")


def _paragraph(element: Element) -> str:
    pieces: list[str] = []
    for each in element.iter():
        name = local(each)  # in any namespace: formulas have a `t` of their own
        pieces.append((each.text or "") if name == "t" else _SIGNS.get(name, ""))
    return "".join(pieces).strip()


def _drawn(element: Element, part: _Part) -> str:
    """Read the chart or the SmartArt that an element of a frame points at; "" for any other element."""
    kind = local(element)
    if kind not in ("chart", "relIds"):
        return ""
    root = _related(part, attribute(element, "dm" if kind == "relIds" else "id"))
    if root is None:
        return ""
    return _chart(root) if kind == "chart" else _diagram(root)


def _related(part: _Part, key: str) -> Element | None:
    try:
        return parsed(part.related_part(key).blob)
    except (KeyError, FormatError):
        return None  # the rest of the slide is worth reading


def _diagram(root: Element) -> str:
    points = (each for each in named(root, "pt") if each.get("type") not in ("pres", "parTrans", "sibTrans"))
    return "\n".join(f"- {words}" for point in points if (words := " ".join(_text(point).split())))


def _chart(root: Element) -> str:
    """Give the title, then the values of all series as a table, a row per category, as the file keeps them."""
    titles = [" ".join(_text(each).split()) for each in named(root, "title")]
    series = list(named(root, "ser"))
    heads = [next(iter(_points(each, "tx").values()), "") for each in series]
    names = next((found for each in series if (found := _points(each, "cat") or _points(each, "xVal"))), {})
    values = [_points(each, "val") or _points(each, "yVal") for each in series]
    places = sorted(set(names).union(*values))
    rows = [["", *heads], *([names.get(at, ""), *(each.get(at, "") for each in values)] for at in places)]
    return "\n".join([*filter(None, titles), *(tables.markdown_rows(rows) if places else ())])


def _points(series: Element, name: str) -> dict[int, str]:
    """Give the kept values of one part of a series by their places."""
    holder = next((each for each in series if local(each) == name), None)
    if holder is None:
        return {}
    found: dict[int, str] = {}
    for point in named(holder, "pt"):
        index = point.get("idx") or ""
        value = next((each.text or "" for each in point if local(each) == "v"), "")
        if index.isdigit():
            found.setdefault(int(index), _value(value))
    if not found and name == "tx":
        found[0] = next((each.text or "" for each in named(holder, "v")), "")
    return found


def _value(text: str) -> str:
    try:
        return f"{float(text):.15g}"  # the significant digits of a double; 0.30000000000000004 is dust
    except ValueError:
        return text


def _parts(slide: _Part, *kinds: str) -> Iterator[_Part]:
    for relation in slide.rels.values():
        if not relation.is_external and relation.reltype.rpartition("/")[2] in kinds:
            yield relation.target_part


def _notes(slide: _Part) -> Iterator[str]:
    for part in _parts(slide, "notesSlide"):
        tree = next(named(part._element, "spTree"), None)
        shapes = _shapes(tree) if tree is not None else iter(())
        words = "\n".join(filter(None, (_block(shape, part, _NOTES_ONLY_BODY) for shape in shapes)))
        if words.strip():
            yield f"Notes: {words}"


def _comments(slide: _Part) -> Iterator[str]:
    for part in _parts(slide, "comments"):
        try:
            root = parsed(part.blob)
        except FormatError:
            continue
        for each in root.iter():
            words = _text(each) if local(each) == "txBody" else (each.text or "") if local(each) == "text" else ""
            if words.strip():
                yield f"Comment: {words.strip()}"
