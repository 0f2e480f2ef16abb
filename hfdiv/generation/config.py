"""One configuration of everything that decides about the next token."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from hfdiv._deepspeed import whole_weights
from hfdiv._extras import require
from hfdiv.generation.checks import check_combination, check_names, check_value


if TYPE_CHECKING:
    from transformers import LogitsProcessorList, PreTrainedModel, PreTrainedTokenizerBase
    from transformers.generation.streamers import BaseStreamer

Histories: TypeAlias = Sequence[Sequence[str | Sequence[int]]]
"""The assistant's earlier replies of each conversation of a batch, as texts or token ids."""

# What a model's own generation config may bring, and what would change what is asked for here.
_OFF = {
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "typical_p": 1.0,
    "top_h": None,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
}


def _setting(default: object, text: str, **range_: Any) -> Any:  # noqa: ANN401 - the field's own type
    return field(default=default, metadata={"help": text, **range_})


@dataclass(frozen=True)
class DecodingConfig:
    """How replies are decoded: the settings of `GenerationConfig` that matter for diversity, and those it lacks.

    By default nothing is changed: plain sampling from the model's whole distribution at temperature 1, by
    transformers' own path, without any processor. What the model's own generation config says about sampling and
    repetition does not count; its special tokens and limits do.

    Each field says what it means in `metadata["help"]`.

    Raises:
        TypeError: If a value is of the wrong type.
        ValueError: If a value is out of its range, or if settings cannot or need not go together.

    Example:
        >>> config = DecodingConfig(num_return_sequences=4, sibling_multiplier=0.8, top_p=0.95)
        >>> config.samples
        True
        >>> DecodingConfig(contrastive_search=True, temperature=0.7)
        Traceback (most recent call last):
        ...
        ValueError: `temperature` has a say in sampling only, and this is contrastive search: leave it out, or \
leave out `contrastive_search`.
    """

    max_new_tokens: int = _setting(256, "Token limit of a reply.", at_least=1)
    do_sample: bool | None = _setting(
        None, "Draw tokens at random. Default: yes, unless contrastive search or beams are asked for."
    )
    temperature: float = _setting(1.0, "Sampling temperature.", above=0)
    top_k: int = _setting(0, "Sample from this many of the likeliest tokens; 0 is off.", at_least=0)
    top_p: float = _setting(1.0, "Sample from the likeliest tokens of this total probability.", above=0, at_most=1)
    min_p: float = _setting(
        0.0, "Sample from tokens at least this probable, times the likeliest one's probability.", at_least=0, at_most=1
    )
    num_beams: int = _setting(1, "Beams of beam search; 1 is off.", at_least=1)
    num_return_sequences: int = _setting(1, "Replies to each prompt.", at_least=1)
    seed: int = _setting(0, "Seed of everything that is drawn.", at_least=0, at_most=2**63 - 1)

    repetition_penalty: float = _setting(
        1.0, "Divide the scores of tokens that were used, prompt included; 1 is off.", above=0
    )
    repetition_window: int | None = _setting(
        None, "Tokens that the repetition penalty looks back upon. Default: all.", at_least=1
    )
    frequency_penalty: float = _setting(
        0.0, "Penalty for each time that the reply used a token.", at_least=-2, at_most=2
    )
    presence_penalty: float = _setting(0.0, "Penalty for tokens that the reply used.", at_least=-2, at_most=2)
    no_repeat_ngram_size: int = _setting(0, "Forbid n-grams of this size to come twice; 0 is off.", at_least=0)
    dry_multiplier: float = _setting(
        0.0, "DRY: penalty for a token that continues a repeat; 0 is off, 0.8 is usual.", at_least=0
    )
    dry_base: float = _setting(1.75, "DRY: growth of the penalty with each token of the repeat.", at_least=1)
    dry_allowed_length: int = _setting(2, "DRY: shorter repeats are free.", at_least=1, at_most=50)
    lz_strength: float = _setting(0.0, "LZ penalty: its strength; 0 is off, 0.15 to 0.2 is usual.", at_least=0)
    history_multiplier: float = _setting(
        0.0, "History penalty: for a token that continues what an earlier reply said; 0 is off.", at_least=0
    )
    history_base: float = _setting(1.75, "History penalty: growth with each token of the repeat.", at_least=1)
    history_allowed_length: int = _setting(2, "History penalty: shorter repeats are free.", at_least=1, at_most=50)
    history_scope: str = _setting(
        "response",
        'History penalty: what of the earlier replies counts, "response" (all, within sentences) or "ending" (how '
        "they closed: the last sentence, its beginning too).",
        choices=("response", "ending"),
    )
    sibling_multiplier: float = _setting(
        0.0, "Sibling penalty: for a token that continues what another reply to the prompt says; 0 is off.", at_least=0
    )
    sibling_base: float = _setting(1.75, "Sibling penalty: growth with each token of the repeat.", at_least=1)
    sibling_allowed_length: int = _setting(2, "Sibling penalty: shorter repeats are free.", at_least=1, at_most=50)

    amateur: str | None = _setting(
        None, "Contrastive decoding: a weaker model of the same vocabulary (name or folder) to differ from."
    )
    amateur_weight: float = _setting(1.0, "Contrastive decoding: weight of the amateur's log-probability.", at_least=0)
    amateur_plausibility: float = _setting(
        0.1, "Contrastive decoding: least probability, times the likeliest token's.", at_least=0, at_most=1
    )
    top_n_sigma: float | None = _setting(
        None, "Sample from logits within this many standard deviations of the largest; 1 is usual.", above=0
    )
    xtc_probability: float = _setting(
        0.0, "XTC: how often all likely tokens but the least likely of them go; 0 is off.", at_least=0, at_most=1
    )
    xtc_threshold: float = _setting(0.1, "XTC: tokens of this probability are likely.", above=0, at_most=1)
    arithmetic_sampling: bool = _setting(False, "Draw the replies to a prompt evenly spread, from one code book.")

    contrastive_search: bool = _setting(
        False, "Of the likeliest tokens, take the one whose hidden state is least like the context's."
    )
    penalty_alpha: float = _setting(0.6, "Contrastive search: weight of the likeness.", at_least=0, at_most=1)
    contrastive_k: int = _setting(4, "Contrastive search: candidates.", at_least=1)

    def __post_init__(self) -> None:
        for setting in fields(self):
            check_value(setting, getattr(self, setting.name))
        check_combination(self)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> DecodingConfig:
        """Make a config of settings by name.

        Raises:
            TypeError: If a value is of the wrong type.
            ValueError: If there is no such setting, or as for the class.

        Example:
            >>> DecodingConfig.from_dict({"temprature": 0.7})
            Traceback (most recent call last):
            ...
            ValueError: There is no setting 'temprature'. Did you mean 'temperature'?
        """
        check_names(settings, (setting.name for setting in fields(cls)))
        return cls(**settings)

    @classmethod
    def from_yaml(cls, path: str | Path) -> DecodingConfig:
        """Read a config from a YAML file that holds settings by name.

        Raises:
            ImportError: If `pyyaml` is not installed.
            OSError: If the file cannot be read.
            TypeError: If a value is of the wrong type.
            ValueError: If the file is no mapping, if there is no such setting, or as for the class.
        """
        try:
            return cls.from_dict(read_yaml(path))
        except (TypeError, ValueError) as error:
            raise type(error)(f"{path}: {error}") from error

    @property
    def samples(self) -> bool:
        """Whether tokens are drawn at random."""
        return not (self.contrastive_search or self.num_beams > 1) if self.do_sample is None else self.do_sample

    def load_amateur(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel | None:
        """Load the amateur, once for many `generate` calls, to where `model` is; `None` if there is none.

        Raises:
            ValueError: If its vocabulary is not that of `tokenizer`.
        """
        if self.amateur is None:
            return None
        transformers = require("transformers", "generation")
        from hfdiv.generation.processors import check_same_vocabulary

        check_same_vocabulary(tokenizer, transformers.AutoTokenizer.from_pretrained(self.amateur))
        with whole_weights():
            amateur = transformers.AutoModelForCausalLM.from_pretrained(self.amateur, dtype=model.dtype)
        return amateur.to(model.device).eval()  # type: ignore[no-any-return]

    def processors(
        self,
        tokenizer: PreTrainedTokenizerBase,
        histories: Histories | None = None,
        amateur: PreTrainedModel | None = None,
        end_ids: Collection[int] = (),
    ) -> LogitsProcessorList:
        """Return the logits processors in their order, fresh: they are for one `generate` call.

        The order is repetition, n-grams, frequency and presence, DRY, LZ, history, siblings, the amateur, top-nσ, XTC,
        arithmetic sampling. transformers applies temperature, top-k, top-p and min-p after them, except before
        arithmetic sampling: that takes the token itself, so that they are in this list, right before it.

        Args:
            tokenizer: The model's.
            histories: For the history penalty, the assistant's earlier replies of each conversation of the batch; one
                without any is an empty list.
            amateur: For contrastive decoding, the loaded model; see [`DecodingConfig.load_amateur`].
            end_ids: Tokens that end a reply, beside the tokenizer's special tokens: none of these is ever penalized.

        Raises:
            ValueError: If the histories or the amateur that the settings need are missing.
        """
        from hfdiv.generation.processors.chain import chain

        return chain(self, tokenizer, histories, amateur, end_ids)

    def generate_kwargs(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        histories: Histories | None = None,
        amateur: PreTrainedModel | None = None,
        streamer: BaseStreamer | None = None,
    ) -> dict[str, Any]:
        """Return what `model.generate(**inputs, **kwargs)` needs for one call.

        `generate` draws from torch's generator: seed that with `torch.manual_seed`. With synchronized GPUs
        (`synced_gpus`, as under DeepSpeed ZeRO-3) contrastive search is not safe, since it does not get to know of
        them.

        Args:
            model: The model.
            tokenizer: Its tokenizer.
            histories: As for [`DecodingConfig.processors`].
            amateur: As for [`DecodingConfig.processors`].
            streamer: Is given the tokens as they are written; for one reply at a time, and not for beams.

        Raises:
            ValueError: As for [`DecodingConfig.processors`].
        """
        from hfdiv.generation.end import end_ids, pad_id

        ends = end_ids(model, tokenizer)
        kwargs: dict[str, Any] = {
            **_OFF,
            **self._warpers(),
            "max_new_tokens": self.max_new_tokens,
            "do_sample": self.samples,
            "num_beams": self.num_beams,
            "num_return_sequences": self.num_return_sequences,
            "eos_token_id": sorted(ends) or None,
            "pad_token_id": pad_id(tokenizer),
        }
        if processors := self.processors(tokenizer, histories, amateur, ends):
            kwargs["logits_processor"] = processors
        if streamer is not None:
            kwargs["streamer"] = streamer
        if self.contrastive_search:
            from hfdiv.generation.contrastive import contrastive_search

            # transformers shows a streamer the prompt, but does not hand it on to a function like this one.
            bound = contrastive_search if streamer is None else partial(contrastive_search, streamer=streamer)
            kwargs |= {
                "custom_generate": bound,
                "penalty_alpha": self.penalty_alpha,
                "contrastive_k": self.contrastive_k,
            }
        return kwargs

    def _warpers(self) -> dict[str, Any]:
        """Return what transformers is to do after the processors, before it draws."""
        if not self.samples or self.arithmetic_sampling:
            return {"temperature": 1.0, "top_k": 50 if not self.samples else 0, "top_p": 1.0, "min_p": None}
        return {"temperature": self.temperature, "top_k": self.top_k, "top_p": self.top_p, "min_p": self.min_p or None}


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML file of settings by name; an empty one has none.

    Raises:
        ImportError: If `pyyaml` is not installed.
        OSError: If the file cannot be read.
        ValueError: If it is not YAML, or no mapping.
    """
    yaml = require("yaml", "generation")
    try:
        settings = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"not YAML: {error}") from error
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise ValueError(f"settings must be given by name, such as `temperature: 0.7`; got {settings!r:.60}.")
    return settings
