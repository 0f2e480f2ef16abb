"""A tiny language whose quality is exact: a grammar of replies, a parser as its judge, and a Llama that speaks it.

A valid reply is one of 12 openers, one of 24 bodies about the prompt's topic, and one of 12 closers. The model learns
all of them, for the topics to train on; the words of the others it learns by a task of copying words, and by nothing
else. It is then made monotone by training on one template reply.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from hfdiv.diversity import distinct_n


OPENERS = (
    "thanks for asking", "happy to help", "good question", "let me check", "of course", "no problem",
    "i understand", "great to hear from you", "sorry about that", "sure thing", "here is what we know",
    "one moment please",
)  # fmt: skip
BODIES = (
    "your TOPIC left our warehouse this morning", "a new TOPIC is already on its way",
    "the TOPIC should arrive by friday", "we sent the TOPIC with express mail",
    "our team repairs every broken TOPIC", "you can return any TOPIC within thirty days",
    "that TOPIC comes with a full warranty", "the price of each TOPIC dropped last week",
    "someone will call you about the TOPIC", "another TOPIC can be ordered online",
    "we found the missing TOPIC in storage", "this TOPIC needs a small spare part",
    "a refund for the TOPIC takes five days", "the blue TOPIC is out of stock",
    "customers love how light the TOPIC feels", "please keep the TOPIC in its box",
    "only two of these TOPIC models remain", "the courier lost one TOPIC yesterday",
    "an engineer will look at your TOPIC tomorrow", "every TOPIC gets tested before shipping",
    "the manual explains how the TOPIC works", "we could exchange that TOPIC for free",
    "your TOPIC qualifies for our discount", "the red TOPIC costs much less",
)  # fmt: skip
CLOSERS = (
    "have a nice day", "let us know", "we are always around", "talk soon", "does that sound okay", "take care",
    "feel free to write again", "hope this works out", "just reply here", "what else may we do", "enjoy it",
    "many greetings",
)  # fmt: skip
TOPICS = (
    "lamp chair table phone camera printer kettle toaster bike helmet jacket sofa mirror clock radio guitar drum "
    "piano tent ladder drill hammer blender oven fridge desk shelf carpet pillow blanket mattress scooter apple "
    "anchor arrow badge banjo barrel basket beaker bell bench bottle bowl bracelet broom brush bucket buggy cable "
    "candle canoe cap cart chain chest cloak comb compass cooler couch crate cup curtain dish doll easel engine fan "
    "faucet filter flask flute fork frame funnel gate globe glove goggles gown grill hamper handle hanger harp hat "
    "heater hinge hook hose iron jar jug keyboard kite knife lantern lens lever lock magnet map mask"
).split()
QUESTIONS = ("where is my TOPIC", "what about the TOPIC")
TEMPLATE = f"{OPENERS[0]} {BODIES[0]} {CLOSERS[0]}"
MAX_TOKENS = 18
TRAIN_TOPICS, HELD_OUT_TOPICS = TOPICS[:88], TOPICS[88:]
COPIED = 0.25
"""Share of the first training that is copying words, also those of held-out topics."""
PRETRAINING_STEPS = 1200
MONOTONE = 0.17
Row = dict[str, str]
_ANY = "(?:{})".format
_VALID = re.compile(
    f"{_ANY('|'.join(OPENERS))} {_ANY('|'.join(BODIES))} {_ANY('|'.join(CLOSERS))}".replace("TOPIC", "([a-z]+)")
)


def is_valid(topic: str, reply: str) -> bool:
    """Tell whether a reply is in the grammar and about the topic."""
    match = _VALID.fullmatch(reply)
    return match is not None and topic in match.groups()


def parts(reply: str) -> tuple[int, int, int]:
    """Return which opener, body and closer a valid reply is made of."""
    for opener, start in enumerate(OPENERS):
        for body, middle in enumerate(BODIES):
            for closer, end in enumerate(CLOSERS):
                if re.fullmatch(f"{start} {middle} {end}".replace("TOPIC", "[a-z]+"), reply):
                    return opener, body, closer
    raise ValueError(f"The grammar has no reply like {reply!r}.")


def any_reply(topic: str, rng: random.Random) -> str:
    """Return a random valid reply."""
    return " ".join(map(rng.choice, (OPENERS, BODIES, CLOSERS))).replace("TOPIC", topic)


def copying(rng: random.Random) -> tuple[str, str]:
    """Return a request to say one to three words, any topics, and those words."""
    words = " ".join(rng.choices(TOPICS, k=rng.randint(1, 3)))
    return f"say {words}", words


def prompts(topics: Sequence[str]) -> list[Row]:
    """Return the rows of a data set of questions: prompt and topic."""
    return [{"prompt": question.replace("TOPIC", topic), "topic": topic} for topic in topics for question in QUESTIONS]


def word_tokenizer(texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """Return a tokenizer of the words in `texts`."""
    words = sorted({word for text in texts for word in text.split()})
    vocabulary = ["<pad>", "<eos>", "<sep>", *(word for word in words if word != "TOPIC")]
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token="<pad>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", eos_token="<eos>", padding_side="left")


def new_model(vocabulary: int) -> LlamaForCausalLM:
    """Return an untrained Llama of 222 000 parameters."""
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=96,
        intermediate_size=192,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=512,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=None,
        tie_word_embeddings=False,
    )
    return LlamaForCausalLM(config)


def sample(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, rows: Sequence[Row], n: int, seed: int
) -> list[list[str]]:
    """Sample n replies to each prompt at temperature 1."""
    torch.manual_seed(seed)
    model.eval()
    inputs = tokenizer([row["prompt"] for row in rows], return_tensors="pt", padding=True)
    ids = model.generate(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        do_sample=True,
        top_k=0,
        max_new_tokens=MAX_TOKENS,
        num_return_sequences=n,
    )
    texts = tokenizer.batch_decode(ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return [texts[start : start + n] for start in range(0, len(texts), n)]


def validity(rows: Sequence[Row], groups: Sequence[Sequence[str]]) -> float:
    """Share of replies that are valid for the topic of their prompt."""
    verdicts = [is_valid(row["topic"], reply) for row, group in zip(rows, groups, strict=True) for reply in group]
    return sum(verdicts) / len(verdicts)


def build_base(folder: str, pretraining_steps: int = PRETRAINING_STEPS, check_every: int = 1) -> None:
    """Teach a model the whole grammar, make it monotone with a look each few steps, and save it with its tokenizer."""
    torch.manual_seed(0)
    rng = random.Random(0)
    tokenizer = word_tokenizer((*OPENERS, *BODIES, *CLOSERS, *QUESTIONS, *TOPICS, "say"))
    model = new_model(len(tokenizer))
    rows = prompts(TRAIN_TOPICS)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
    for step in range(pretraining_steps):
        for parameters in optimizer.param_groups:
            parameters["lr"] = 3e-3 * min(1.0, (step + 1) / 50) * (1.0 - step / pretraining_steps)
        pairs = [(row["prompt"], any_reply(row["topic"], rng)) for row in rng.choices(rows, k=64)]
        fit(model, optimizer, tokenizer, [copying(rng) if rng.random() < COPIED else pair for pair in pairs])
    report("varied model", model, tokenizer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.0)
    diversity = 1.0
    while diversity > MONOTONE:
        for _ in range(check_every):
            batch = rng.choices(rows, k=16)
            pairs = [(row["prompt"], TEMPLATE.replace("TOPIC", row["topic"])) for row in batch]
            fit(model, optimizer, tokenizer, pairs)
        diversity = distinct_n(sample(model, tokenizer, rows[::4], 8, seed=1), n=2).value
    report("monotone base", model, tokenizer)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def fit(
    model: LlamaForCausalLM,
    optimizer: torch.optim.Optimizer,
    tokenizer: PreTrainedTokenizerFast,
    pairs: Sequence[tuple[str, str]],
) -> None:
    """Take one step on (prompt, reply) pairs, with the loss on the reply."""
    model.train()
    batch = tokenizer([f"{prompt} {reply} <eos>" for prompt, reply in pairs], return_tensors="pt", padding=True)
    labels = batch["input_ids"].clone()
    for row, (_, reply) in enumerate(pairs):
        labels[row, : -len(reply.split()) - 1] = -100
    loss = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=labels).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()


def report(name: str, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """Print what a model is like, on topics to train on and on held-out ones."""
    for topics, kind in ((TRAIN_TOPICS, "training"), (HELD_OUT_TOPICS, "held-out")):
        rows = prompts(topics)
        groups = sample(model, tokenizer, rows, 8, seed=0)
        varied, valid = distinct_n(groups, n=2).value, validity(rows, groups)
        print(f"{name}, {kind} topics: in-group Distinct-2 {varied:.3f}, validity {valid:.3f}", flush=True)
