"""Parse bytes as the child does, without the child: for tests of one format."""

import pytest

from services.formats import registry
from services.formats.page import FormatError, Header, Page
from services.formats.source import Source

UNPACKED_BYTES = 2**26


def parse(
    content: bytes, filename: str = "a.bin", max_unpacked_bytes: int = UNPACKED_BYTES
) -> tuple[Header, list[Page]]:
    """Give the header and the pages. Raises FormatError."""
    header, *pages = registry.parse(Source(content, filename, max_unpacked_bytes))
    assert isinstance(header, Header)
    return header, [page for page in pages if isinstance(page, Page)]


def refusal(content: bytes, filename: str = "a.bin", max_unpacked_bytes: int = UNPACKED_BYTES) -> str:
    """Give the code with which the file is refused."""
    with pytest.raises(FormatError) as caught:
        parse(content, filename, max_unpacked_bytes)
    return caught.value.code
