"""Processors that penalize single tokens: frequency and presence, windowed repetition."""

from __future__ import annotations

from torch import Tensor
from transformers import LogitsProcessor

from hfdiv.generation.penalties import CountPenalty, repetition_penalty
from hfdiv.generation.processors.progress import text_mask
from hfdiv.generation.processors.rows import RowPenaltyProcessor


class FrequencyPresencePenaltyLogitsProcessor(RowPenaltyProcessor):
    """Frequency and presence penalty: each token that the reply holds costs `frequency * count + presence`.

    The definition is OpenAI's; as in vLLM, the tokens of the prompt do not count.

    Args:
        frequency_penalty: In [-2, 2]; 0 is neutral.
        presence_penalty: In [-2, 2]; 0 is neutral.

    Raises:
        ValueError: If a value is out of its range.

    Example:
        >>> import torch
        >>> processor = FrequencyPresencePenaltyLogitsProcessor(frequency_penalty=0.5)
        >>> scores = torch.zeros(1, 4)
        >>> _ = processor(torch.tensor([[3]]), scores)  # the prompt
        >>> _ = processor(torch.tensor([[3, 1]]), scores)
        >>> processor(torch.tensor([[3, 1, 1]]), scores)
        tensor([[ 0., -1.,  0.,  0.]])
    """

    def __init__(self, frequency_penalty: float = 0.0, presence_penalty: float = 0.0) -> None:
        super().__init__()
        CountPenalty(frequency_penalty, presence_penalty)  # checks the values
        self.frequency_penalty = frequency_penalty
        self.presence_penalty = presence_penalty

    @property
    def is_neutral(self) -> bool:
        """Whether the settings change nothing."""
        return self.frequency_penalty == self.presence_penalty == 0

    def new_row(self, prompt: list[int], row: int, n_rows: int, vocabulary_size: int) -> CountPenalty:
        """Return the state of a row of which nothing but the prompt is written."""
        return CountPenalty(self.frequency_penalty, self.presence_penalty)


class WindowedRepetitionPenaltyLogitsProcessor(LogitsProcessor):
    """Repetition penalty over the last `window` tokens, prompt included: what is further back may come again.

    With a window that holds everything it is transformers' `RepetitionPenaltyLogitsProcessor` (*CTRL*, Keskar et al.,
    2019, https://huggingface.co/papers/1909.05858), except that padding does not count.

    Args:
        penalty: > 0; 1 is neutral, more makes repeats less likely.
        window: Tokens looked back upon, at least 1.
        pad_token_id: What the batch is padded with on the left; `None` if it is not.

    Raises:
        ValueError: If a value is out of its range.

    Example:
        >>> import torch
        >>> processor = WindowedRepetitionPenaltyLogitsProcessor(2.0, window=1)
        >>> processor(torch.tensor([[0, 1]]), torch.tensor([[2.0, 2.0, 2.0]]))
        tensor([[2., 1., 2.]])
    """

    supports_continuous_batching = False

    def __init__(self, penalty: float, window: int = 64, pad_token_id: int | None = None) -> None:
        if not penalty > 0:
            raise ValueError(f"`penalty` must be above 0, got {penalty}.")
        if window < 1:
            raise ValueError(f"`window` must be at least 1 token, got {window}.")
        self.penalty = penalty
        self.window = window
        self.pad_token_id = pad_token_id

    @property
    def is_neutral(self) -> bool:
        """Whether the settings change nothing."""
        return self.penalty == 1

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return the scores with the penalty, as a new tensor; the same one at the neutral setting."""
        if self.is_neutral:
            return scores
        mask = text_mask(input_ids, self.pad_token_id)[:, -self.window :]
        return repetition_penalty(scores, input_ids[:, -self.window :], mask, self.penalty)
