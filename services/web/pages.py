"""What a person sees: the first page, the text of a document's page with the quote marked, the list of routes."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import FileResponse, HTMLResponse

from db.rows import PageRow
from services.web.context import AnyWebPort, Web, WebPort
from services.web.documents import living
from services.web.errors import not_found
from services.web.strings import choose_language, strings
from services.web.urls import document_url, page_url
from services.web.wire import MAX_PAGE, DocumentNumber, PageNumber, PageOut

PAGE_DIR = Path(__file__).parent / "page"
VARIES = {"Vary": "Accept, Accept-Language", "Cache-Control": "no-cache"}
Place = Annotated[int | None, Query(ge=0, le=MAX_PAGE)]
LanguageHeader = Annotated[str, Header(alias="Accept-Language")]


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(PAGE_DIR)
    return Environment(loader=loader, autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True)


def _render(name: str, accept_language: str, **values: object) -> HTMLResponse:
    language = choose_language(accept_language)
    text = _templates().get_template(name).render(language=language, t=strings(language), **values)
    return HTMLResponse(text, headers=VARIES)


async def first_page(web: AnyWebPort, accept_language: LanguageHeader = "") -> Response:
    """Show the page with the question box; what changes is filled in by its script."""
    upload_mib = web.settings.web.max_upload_mib
    return _render("index.html", accept_language, max_upload_mib=upload_mib, stages=web.stages)


async def icon() -> Response:
    """Give the seal to whoever asks for an icon without having read a page, as a PDF's viewer does."""
    return FileResponse(PAGE_DIR / "assets" / "seal.svg")


async def routes_page(request: Request, accept_language: LanguageHeader = "") -> Response:
    """Show every route with what it takes and gives, from the OpenAPI document."""
    return _render("docs.html", accept_language, document=request.app.openapi())


@dataclass(frozen=True, slots=True)
class Marked:
    """A page's text around its quote."""

    before: str
    quote: str
    after: str


def mark(text: str, start: int | None, end: int | None) -> Marked:
    """Cut a text at a quote; a place that is not in the text marks nothing."""
    if start is None or end is None or not start < end <= len(text):
        return Marked(text, "", "")
    return Marked(text[:start], text[start:end], text[end:])


async def read_page(
    document_id: DocumentNumber,
    number: PageNumber,
    web: WebPort,
    start: Place = None,
    end: Place = None,
    view: Literal["html", "json"] | None = None,
    accept: Annotated[str, Header()] = "",
    accept_language: LanguageHeader = "",
) -> Response:
    """Give a page of a document: as JSON, or for a browser as text with the characters `start` to `end` marked."""
    page = await _page(document_id, number, web)
    if view == "html" or (view is None and "text/html" in accept):
        values = await _view(document_id, page, web)
        return _render("page.html", accept_language, marked=mark(page.text, start, end), **values)
    shown = PageOut(document_id=document_id, **{name: getattr(page, name) for name in PageRow.__slots__})
    return Response(shown.model_dump_json(), media_type="application/json", headers={"Vary": "Accept"})


async def _page(document_id: int, number: int, web: Web) -> PageRow:
    page = await web.db.one(PageRow, "document_page", document_id=document_id, number=number)
    if page is None:
        raise not_found(f"page {number} of document {document_id}")
    return page


async def _view(document_id: int, page: PageRow, web: Web) -> dict[str, Any]:
    row = await living(document_id, web)
    anchor = f"#page={page.number}" if row.media_type == "application/pdf" else ""
    return {
        "page": page,
        "row": row,
        "file_url": f"{document_url(document_id)}/file{anchor}",
        "former": page_url(document_id, page.number - 1) if page.number > 1 else None,
        "following": page_url(document_id, page.number + 1) if page.number < page.page_count else None,
    }
