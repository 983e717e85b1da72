"""The bare work on files, as a script would do it: parser, splitter and weights in one process, nothing stored.

In: paths on stdin, one a line. Out: one line of JSON with the seconds, in all and of each part, and the number of
passages. A process of its own, so that its caches are as cold as a daemon's; libraries are loaded when the first
file of a kind needs them, as in a daemon.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time

from services.document.embed import has_markdown
from services.formats import registry
from services.formats.limits import Limits
from services.formats.page import Header, Page
from services.formats.source import Source
from services.text.chunks import split
from services.text.terms import document_weights, sparsevec_text


def parsed(path: Path) -> tuple[Header, list[Page]]:
    """Read a file by the product's parsers, in this process."""
    header, pages = Header("", ""), []
    for item in registry.parse(Source(path, path.name, Limits().max_unpacked_bytes)):
        if isinstance(item, Header):
            header = item
        else:
            pages.append(item)
    return header, pages


def passages(header: Header, pages: list[Page]) -> Iterator[str]:
    """Cut the pages."""
    for page in pages:
        for span in split(page.text, markdown=has_markdown(header.media_type)):
            yield page.text[span.start : span.end]


def main() -> None:
    """Work through the paths."""
    parse_s = split_s = weigh_s = 0.0
    chunks, idle_s = 0, process_time()
    for line in sys.stdin:
        begin = perf_counter()
        header, pages = parsed(Path(line.rstrip("\n")))
        parse_s += (read := perf_counter()) - begin
        texts = list(passages(header, pages))
        split_s += (cut := perf_counter()) - read
        for text in texts:
            sparsevec_text(document_weights(text, header.title))
        weigh_s += perf_counter() - cut
        chunks += len(texts)
    parts = {"parser": parse_s, "splitter": split_s, "weights": weigh_s}
    print(
        json.dumps({"seconds": sum(parts.values()), "cpu_s": process_time() - idle_s, "chunks": chunks, "parts": parts})
    )


if __name__ == "__main__":
    main()
