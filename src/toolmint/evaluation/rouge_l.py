"""ROUGE-L as the ``rouge`` package 1.0.1 computes it, bit for bit, with bit-parallel LCS tables.

That package scores at the level of summaries (Lin, 2004, section 3.2), but over sets: the union of the
words of every sentence pair's LCS. Which LCS it takes among equals follows from its backtracking, so the
same order of steps is kept here: match, else up where the cell above is greater, else left.
"""

from collections.abc import Sequence

from toolmint.core.errors import InputError


def sentences_of(text: str) -> list[str]:
    """Cut a text at full stops, as the package does; white space is folded, empty pieces are dropped."""
    return [" ".join(part.split()) for part in text.split(".") if part]


def _rows(reference: Sequence[str], hypothesis: Sequence[str]) -> list[int]:
    """Return the rows of the LCS table as bit vectors: bit j is set where cell (i, j+1) exceeds (i, j).

    After Hyyrö (2004): one addition a row in place of a loop over columns.
    """
    places: dict[str, int] = {}
    for column, word in enumerate(hypothesis):
        places[word] = places.get(word, 0) | 1 << column
    full = (1 << len(hypothesis)) - 1
    vector = full
    rows = [0]
    for word in reference:
        matches = vector & places.get(word, 0)
        vector = ((vector + matches) | (vector - matches)) & full
        rows.append(~vector & full)
    return rows


def lcs_words(reference: Sequence[str], hypothesis: Sequence[str]) -> set[str]:
    """Return the words of the longest common subsequence that the package's backtracking finds."""
    if not set(reference) & set(hypothesis):
        return set()
    rows = _rows(reference, hypothesis)
    i, j = len(reference), len(hypothesis)
    found: set[str] = set()
    while i and j:
        if reference[i - 1] == hypothesis[j - 1]:
            found.add(reference[i - 1])
            i, j = i - 1, j - 1
            continue
        mask = (1 << j) - 1
        above = (rows[i - 1] & mask).bit_count()
        left = (rows[i] & (mask >> 1)).bit_count()
        if above > left:
            i -= 1
        else:
            j -= 1
    return found


def rouge_l(hypothesis: str, reference: str) -> float:
    """Return the F score of ROUGE-L in 0..1.

    Raises:
        InputError: a text holds no sentence; the package raises there too, and ends the whole evaluation.
    """
    theirs, ours = sentences_of(hypothesis), sentences_of(reference)
    if not theirs or not ours:
        raise InputError("a text without a sentence has no ROUGE-L", code="rouge-empty")
    split = [sentence.split(" ") for sentence in theirs]
    reference_words = {word for sentence in ours for word in sentence.split(" ")}
    hypothesis_words = {word for words in split for word in words}
    union: set[str] = set()
    for sentence in ours:
        words = sentence.split(" ")
        for other in split:
            union |= lcs_words(words, other)
    recall, precision = len(union) / len(reference_words), len(union) / len(hypothesis_words)
    return 2.0 * ((precision * recall) / (precision + recall + 1e-8))
