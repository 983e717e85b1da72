"""Plain text: decoded, normalised, kept as it is."""

from collections.abc import Iterator

from services.formats import parts
from services.formats.decode import decode
from services.formats.page import FormatError, Header, Page
from services.formats.sniff import Family
from services.formats.source import Source
from services.text.normalise import normalise


def parse(source: Source) -> Iterator[Header | Page]:
    """Give the text in parts cut at blank lines. Raises FormatError: "corrupt", "empty"."""
    text = decoded(source)
    yield Header(Family.TEXT, "")
    yield from parts.split(text, [])


def decoded(source: Source) -> str:
    """Read a text file of any known character set. Raises FormatError "corrupt" when none fits."""
    text = decode(source.read())
    if text is None:
        message = "The character set of the file is not known; save it as UTF-8 and add it again."
        raise FormatError("corrupt", message)
    return normalise(text)
