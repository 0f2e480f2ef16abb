"""Which k of n? Varied subsets that keep quality, from similarities and one quality a text.

| function | what it looks for | choose it when |
|---|---|---|
| [`mmr`] | one trade-off between quality and the nearest chosen text | quality counts, and 0 to 1 has a meaning |
| [`max_min`] | texts far from all chosen ones; quality picks only the first | variety alone counts |
| [`greedy_dpp`] | a set of large volume, seen as a whole | texts overlap in parts, and the similarity is a kernel |

[`select`] runs one of them on texts.

Why not pyversity? It holds MMR, DPP and more, and takes embeddings and their dot product in float32. Similarities here
need not be cosines of vectors: shared n-grams, BLEU and classes of texts are not, and none has max-min. What can be
compared, MMR and greedy DPP on embeddings, is compared in the tests.
"""

from hfdiv.selection.dpp import greedy_dpp
from hfdiv.selection.greedy import max_min, mmr
from hfdiv.selection.texts import Method, select


__all__ = ["Method", "greedy_dpp", "max_min", "mmr", "select"]
