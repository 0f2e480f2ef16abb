"""From a response to text, from text to tokens.

A response is a string, or chat messages as `transformers` and `trl` pass them. A tokenizer is a
name, a version and a function; the first two go into the signature of every score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import regex


Response: TypeAlias = str | Sequence[Mapping[str, Any]]
"""One text that a model wrote: a string, or chat messages (`[{"role": ..., "content": ...}]`)."""

# Han and kana have no spaces between words, so each character is a token. U+30FC, the mark that lengthens a
# vowel, is shared between the kana scripts and must be named.
_CJK = r"\p{Han}\p{Hiragana}\p{Katakana}\u30FC"
_WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{_CJK}]]"
# Inside a word: the separators of a number, and the joiners that Persian and the Indic scripts write with.
_INNER = r"(?<=\p{N})[.,](?=\p{N})|[\u200C\u200D]"
_MIXED = regex.compile(
    rf"(?V1)[{_CJK}]\p{{M}}*"
    rf"|{_WORD}++(?:(?:{_INNER}){_WORD}++)*"
    # Anything else that can be seen, one grapheme at a time, so that a flag or a family emoji stays whole.
    r"|(?![\s\p{Cc}\p{Cf}])\X"
)


@dataclass(frozen=True)
class Tokenizer:
    """A named and versioned way to split a text.

    Args:
        name: Name in signatures.
        version: Raised whenever the tokens of any text change.
        split: Function from a text to its tokens.

    Example:
        >>> letters = Tokenizer("letters", "1", list)
        >>> letters.signature, letters.split("ab")
        ('letters.1', ['a', 'b'])
    """

    name: str
    version: str
    split: Callable[[str], list[str]]

    @property
    def signature(self) -> str:
        """`name.version`, as it stands in a score's signature."""
        return f"{self.name}.{self.version}"


MIXED = Tokenizer("mixed", "1", _MIXED.findall)
"""Each Han or kana character is a token; other runs of letters and digits are words (3.5 stays whole);
punctuation and emoji stand alone; case is kept."""

WHITESPACE = Tokenizer("whitespace", "1", str.split)
"""`str.split()`: what most papers used. Useless for Chinese and Japanese."""

TOKENIZERS = {tokenizer.name: tokenizer for tokenizer in (MIXED, WHITESPACE)}


def get_tokenizer(tokenizer: str | Tokenizer) -> Tokenizer:
    """Return the tokenizer of that name; a [`Tokenizer`] comes back as it is.

    Raises:
        ValueError: If no tokenizer has that name.

    Example:
        >>> get_tokenizer("mixed").split("It costs 3.5 €, 好的!")
        ['It', 'costs', '3.5', '€', ',', '好', '的', '!']
    """
    if isinstance(tokenizer, Tokenizer):
        return tokenizer
    if tokenizer not in TOKENIZERS:
        raise ValueError(
            f"`tokenizer` must be one of {sorted(TOKENIZERS)} or an `hfdiv.text.Tokenizer`, got {tokenizer!r}."
        )
    return TOKENIZERS[tokenizer]


def response_text(response: Response) -> str:
    """Return the text of a response.

    Of chat messages, the text that the assistant wrote is kept, one message a line; content given as blocks
    keeps its text blocks.

    Raises:
        TypeError: If `response` is neither a string nor chat messages, or no message is the assistant's.

    Example:
        >>> response_text([{"role": "assistant", "content": "Hello"}])
        'Hello'
    """
    if isinstance(response, str):
        return response
    if not is_chat(response):
        raise TypeError(
            f"A response must be a string or a list of chat messages, got {type(response).__name__}: {response!r:.80}."
        )
    texts = [_content_text(message["content"]) for message in response if message["role"] == "assistant"]
    if not texts:
        roles = [message["role"] for message in response]
        raise TypeError(f"A response given as chat messages must hold an assistant message, got roles {roles}.")
    return "\n".join(texts)


def prompt_text(prompt: Response) -> str:
    """Return a prompt as one string: itself, or `role: content`, one chat message a line.

    Raises:
        TypeError: If `prompt` is neither a string nor chat messages.

    Example:
        >>> prompt_text([{"role": "user", "content": "Hi"}])
        'user: Hi'
    """
    if isinstance(prompt, str):
        return prompt
    if not is_chat(prompt):
        raise TypeError(
            f"A prompt must be a string or a list of chat messages, got {type(prompt).__name__}: {prompt!r:.80}."
        )
    return "\n".join(f"{message['role']}: {_content_text(message['content'])}" for message in prompt)


def is_chat(value: object) -> bool:
    """Tell whether `value` is a non-empty list of chat messages.

    Example:
        >>> is_chat([{"role": "user", "content": "Hi"}]), is_chat(["Hi"])
        (True, False)
    """
    return (
        not isinstance(value, str)
        and isinstance(value, Sequence)
        and len(value) > 0
        and all(isinstance(message, Mapping) and {"role", "content"} <= message.keys() for message in value)
    )


def _content_text(content: object) -> str:
    if content is None:  # an assistant turn that only calls tools
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence) and all(isinstance(block, Mapping) for block in content):
        return "".join(block.get("text") or "" for block in content)  # an image block has no text, or null
    raise TypeError(f"The content of a chat message must be a string or a list of blocks, got {content!r:.80}.")
