"""A PDF, opened; and what its refusals mean."""

from pathlib import Path
from typing import Any

import pypdfium2

from services.formats.page import FormatError
from services.formats.source import Source


def open_document(source: Source) -> Any:
    """Open a PDF; the caller closes. Raises FormatError: "encrypted", "corrupt"."""
    content = source.content
    try:
        return pypdfium2.PdfDocument(content if isinstance(content, bytes) else Path(content))
    except pypdfium2.PdfiumError as error:
        raise refusal(error) from error


def refusal(error: Exception) -> FormatError:
    """Say of an error of PDFium what it means for the user."""
    reason = str(error).lower()
    if "password" in reason or "security" in reason:
        message = "The PDF is locked by a password; save a copy without one and add that."
        return FormatError("encrypted", message, repr(error))
    message = "The PDF is cut off or damaged; get it again from where it came from."
    return FormatError("corrupt", message, repr(error))
