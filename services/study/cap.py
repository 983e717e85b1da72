"""Cut an explanation that is too long at the end of a sentence: pure.

In: a text. Out: the text, or its beginning with an ellipsis, never longer than what is stored (S17, Z10).
"""

MOST_CHARS = 1200
"""Longest explanation that is stored; the ellipsis counts (Z10)."""
BOUNDARY_CHARS = 200
"""A boundary is looked for so far from the end of what may stay (S17)."""
BOUNDARIES = (("\n\n", 0), ("\n", 0), (". ", 1), ("다.", 2), ("요.", 2), ("다 ", 1), ("요 ", 1), (" ", 0))
"""Tried in this order, with the characters of each that stay; the blank is ours, so that no word is cut that need not
be (S17 names the others)."""
ELLIPSIS = "…"


def capped(text: str) -> str:
    """Give a text as it is stored: at most MOST_CHARS characters.

    Returns:
        the text itself where it is short enough; else its beginning up to the last boundary within the final
        BOUNDARY_CHARS, of the first kind that is found there, or else as much as there is room for; and an ellipsis.
    """
    if len(text) <= MOST_CHARS:
        return text
    most = MOST_CHARS - len(ELLIPSIS)
    for mark, stay in BOUNDARIES:
        at = text.rfind(mark, most - BOUNDARY_CHARS, most - stay + len(mark))
        if at >= 0:
            return text[: at + stay].rstrip() + ELLIPSIS
    return text[:most] + ELLIPSIS
