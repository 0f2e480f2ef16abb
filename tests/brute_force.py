"""N-grams the slow and obvious way: what the array code is compared with."""

from hypothesis import strategies as st


def ngrams(tokens, n):
    return [tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1)]


def texts(alphabet="abc", max_words=8):
    """Texts over a small vocabulary, so that n-grams repeat; some are empty."""
    return st.lists(st.sampled_from(alphabet), max_size=max_words).map(" ".join)


def groups(max_groups=4, max_size=4, **options):
    return st.lists(st.lists(texts(**options), min_size=1, max_size=max_size), min_size=1, max_size=max_groups)
