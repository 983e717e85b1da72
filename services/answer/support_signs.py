"""The signs by which evidence is judged without a model: one tuple of numbers for a passage, one for its best sentence,
and one for what tells a false question from a true one.

In: nothing. Out: the names of the signs and what each means; support.py counts them, support_weights.py has a weight
for each under the same name. Weights of words are idf, in words of full weight (`Asked.full`).
"""

from typing import NamedTuple


class PassageSigns(NamedTuple):
    """What is seen of a passage with its title; a tuple, since signs and weights are multiplied one by one."""

    share: float
    """Of the question's idf weight."""
    words: float
    """The same by words, inflected or misspelt ones too; words that only ask left out."""
    missing: float
    """Weight of the words it lacks, in words of full weight (`Asked.full`)."""
    names: float
    """Weight of the names and numbers it lacks."""
    topic: float
    """Weight of the question's first word, where that is Hangul and lacking."""
    head: float
    """1 where a Hangul topic stands at the beginning of the passage."""
    lacking: float
    """Share of the words of which nothing is here."""
    local: float
    """Weight of what it has and other passages of the evidence have not."""
    score: float
    """Of the search, per weight of the question."""
    lead: float
    """Score over the best other passage, per weight of the question."""
    apart: float
    """Rarity in its neighbourhood (`Around.rarity`) of the words it has, summed up."""
    begins: float
    """1 where it begins with the Hangul topic."""
    margin: float
    """Lead as a share of its score."""
    ahead: float
    """As margin, but of another's score counts only the share of words that are not here too: a copy with a few other
    words takes nothing from it."""


class SentenceSigns(NamedTuple):
    """What is seen of a passage's best sentence, with the title."""

    share: float
    """Of the question's idf weight."""
    window: float
    """The same by words, in it and its neighbours."""
    names: float
    """Weight of the names and numbers it lacks."""
    kind: float
    """1 when a date, an amount or a name is asked for and it has none."""
    negation: float
    """1 when the question denies something and it does not."""
    length: float
    """Natural logarithm of 1 + the number of words of the question."""
    apart: float
    """Rarity in the passage's neighbourhood of the words it has."""
    phrases: float
    """Share of the question's neighbouring tokens, function words too, that are neighbours in it."""


class TwistSigns(NamedTuple):
    """What tells a question that was turned round (not, last for first, another year) from one that holds.

    Words that only ask are left out of the signs of the neighbourhood but `near`.
    """

    names: float
    kind: float
    negation: float
    rarest: float
    """Weight of the heaviest word that the best sentence lacks."""
    denied: float
    """1 when the question denies something."""
    denies: float
    """1 when the best sentence denies something and the question does not."""
    restricts: float
    """1 when the question restricts (only, less, if, un...)."""
    opposite: float
    """Words of the question whose opposites stand in the best sentence instead."""
    title: float
    """Share of the question's weight in the title."""
    numbers: float
    """Numbers of the question that the best sentence lacks."""
    points: float
    """1 when the question points at somebody without a name, as one asked in front of a text does."""
    familiar: float
    """Weight of the words the passage has, each times ln(1 + chunks of the neighbourhood that have it)."""
    rarity: float
    """Rarity in the neighbourhood of all words of the question."""
    local: float
    """As the passage's."""
    bound: float
    """Words lacking in the best sentence that the question binds by a preposition (of, in, by...)."""
    elsewhere: float
    """Weight of the words the passage lacks and its neighbourhood has."""
    words: float
    """Words of the question, in tens."""
    near: float
    """Rarity in the neighbourhood of the words in the best sentence and its neighbours."""
