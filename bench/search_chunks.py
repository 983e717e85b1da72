"""The chunks of a made document, put together from what the product makes of each sentence: five times as fast as anew.

In: a title and passages by their sentences. Out: rows as services/document/tree.py gives them. That they are the same
is looked at for one document in EACH; a release in which they are not stops here.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from db.rows import PageText
from services.document.tree import ChunkRow, Tree
from services.kit.document_settings import EmbedSettings
from services.text.order import END, ID, ordered, unpacked
from services.text.terms import K1, LENGTH_REFERENCE, B, sparsevec_text

EACH = 500
MOST_DIFFERENT = 2
"""Chunks of one document: a reference to a law may stand across the border of two sentences that met by chance."""

Words = tuple[tuple[int, ...], bytes]


def rows_of(title: str, passages: Sequence[Sequence[str]], first_id: int) -> list[ChunkRow]:
    """Give the rows of a document: itself, then its leaves, one for each passage.

    Raises:
        RuntimeError: the product makes others.
    """
    texts = [" ".join(sentences) for sentences in passages]
    page = "\n\n".join(texts)
    rows = [ChunkRow(first_id, None, len(texts), "document", 0, 1, 0, 1, len(page), title)]
    start = 0
    for index, (sentences, text) in enumerate(zip(passages, texts, strict=True)):
        place = (first_id + 1 + index, first_id, index, "leaf", 1, 1, start, None, start + len(text))
        rows.append(ChunkRow(*place, text, *_words(title, sentences)))
        start += len(text) + 2
    if first_id // 128 % EACH == 1:
        _compare(rows, title, page)
    return rows


def _words(title: str, sentences: Sequence[str]) -> tuple[str, str, bytes]:
    """Give terms, weights and order as `Tree.add` has them."""
    known = [_of_sentence(each) for each in sentences]
    counts = Counter(_of_sentence(title)[0])
    for ids, _ in known:
        counts.update(ids)
    norm = K1 * (1 - B + B * counts.total() / LENGTH_REFERENCE)
    weights = {ident: tf * (K1 + 1) / (tf + norm) for ident, tf in counts.items()}
    terms = "{" + ",".join(map(str, sorted(weights))) + "}"
    ends = [each[-1] in ".!?。" for each in sentences[:-1]] + [True]
    order = b"".join(codes if end else codes[:-4] for (_, codes), end in zip(known, ends, strict=True))
    return terms, sparsevec_text(weights), order


@lru_cache(maxsize=2**17)
def _of_sentence(sentence: str) -> Words:
    codes = ordered(sentence)
    return tuple(code & ID for code in unpacked(codes) if code != END), codes


def _compare(rows: Sequence[ChunkRow], title: str, page: str) -> None:
    tree = Tree(title, markdown=False, max_chars=EmbedSettings().chunk_chars)
    tree.add(PageText(1, page, None))
    sections = tree.sections()
    truth = list(tree.rows(sections, [row.id for row in rows] + [0] * (len(sections) + len(tree.leaves))))
    different = sum(one != two for one, two in zip(rows, truth, strict=False))
    if different > MOST_DIFFERENT or len(truth) != len(rows):
        raise RuntimeError(f"{different} of {len(rows)} chunks are not as the product makes them ({len(truth)})")
