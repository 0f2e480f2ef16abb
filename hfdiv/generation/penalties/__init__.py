"""The arithmetic of decoding: scores and token ids in, scores or penalties out. Nothing of any host library.

What depends on a sequence is an object to which tokens are appended, one for each row (or group of siblings), so that
any host can move, drop and rebuild rows as it likes. It needs numpy alone. What depends on the scores is a function of
torch tensors.
"""

from hfdiv.generation.penalties.arithmetic import code_book, decode_step
from hfdiv.generation.penalties.contrastive import expert_less_amateur
from hfdiv.generation.penalties.counts import CountPenalty
from hfdiv.generation.penalties.dry import DryPenalty
from hfdiv.generation.penalties.history import HistoryPenalty, ReplyIndex
from hfdiv.generation.penalties.lz import LzPenalty
from hfdiv.generation.penalties.matches import MatchPenalty
from hfdiv.generation.penalties.repetition import repetition_penalty
from hfdiv.generation.penalties.siblings import SiblingPenalty
from hfdiv.generation.penalties.sparse import Penalties, subtract, subtract_
from hfdiv.generation.penalties.truncation import exclude_top_choices, top_n_sigma


__all__ = [
    "CountPenalty",
    "DryPenalty",
    "HistoryPenalty",
    "LzPenalty",
    "MatchPenalty",
    "Penalties",
    "ReplyIndex",
    "SiblingPenalty",
    "code_book",
    "decode_step",
    "exclude_top_choices",
    "expert_less_amateur",
    "repetition_penalty",
    "subtract",
    "subtract_",
    "top_n_sigma",
]
