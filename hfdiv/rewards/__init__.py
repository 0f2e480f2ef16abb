"""One score per response, in the form of TRL's reward functions. Higher = better.

Names in lower case that end in `_reward`, and `diversity_entropy`, are ready: TRL takes them by dotted path.
"""

from hfdiv.rewards.checked import CheckedReward, checked
from hfdiv.rewards.combine import combine
from hfdiv.rewards.conversation import earlier_replies
from hfdiv.rewards.form import PerReply
from hfdiv.rewards.guards import FormatGuard, LengthGuard
from hfdiv.rewards.history import HistoryReward, history_reward, history_similarity
from hfdiv.rewards.lexical import (
    DistinctReward,
    DiversityEntropy,
    RepetitionReward,
    distinct_reward,
    diversity_entropy,
    repetition_reward,
)
from hfdiv.rewards.load import LoadedRewards, load_rewards
from hfdiv.rewards.novelty import NoveltyReward, novelty_reward
from hfdiv.rewards.quality import Fluency, Relevance
from hfdiv.rewards.registry import get_reward, register_reward, reward_names


__all__ = [
    "CheckedReward",
    "DistinctReward",
    "DiversityEntropy",
    "Fluency",
    "FormatGuard",
    "HistoryReward",
    "LengthGuard",
    "LoadedRewards",
    "NoveltyReward",
    "PerReply",
    "Relevance",
    "RepetitionReward",
    "checked",
    "combine",
    "distinct_reward",
    "diversity_entropy",
    "earlier_replies",
    "get_reward",
    "history_reward",
    "history_similarity",
    "load_rewards",
    "novelty_reward",
    "register_reward",
    "repetition_reward",
    "reward_names",
]
