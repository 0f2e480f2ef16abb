"""Replies and their probabilities, read from one answer of a model: tags, JSON or a list."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TypeAlias

import regex


Item: TypeAlias = tuple[str, float | None]
"""A reply, and its probability where one was given."""

_TEXT_KEYS = ("text", "response", "reply", "answer", "content", "回复", "回答", "内容", "文本")
_PROBABILITY_KEYS = ("probability", "prob", "likelihood", "confidence", "概率", "可能性")

_FLAGS = regex.DOTALL | regex.IGNORECASE
_RESPONSE = regex.compile(r"<response\b([^>]*)>(.*?)(</response\s*>|(?=<response\b)|\Z)", _FLAGS)
_ATTRIBUTE = regex.compile(rf"\b(?:{'|'.join(_PROBABILITY_KEYS)}|p)\s*=\s*(\S+)", regex.IGNORECASE)
_TEXT = regex.compile(r"<text\b[^>]*>(.*?)(</text\s*>|(?=<probability\b)|\Z)", _FLAGS)
_PROBABILITY = regex.compile(r"<probability\b[^>]*>([^<]*)(?:</probability\s*>)?", _FLAGS)

_NUMBER = regex.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*([%％]?)", regex.IGNORECASE)
_LABEL = rf"(?<![a-z])(?:(?:{'|'.join(_PROBABILITY_KEYS)})[*_]*\s*[:：=≈]?|p\s*[:=≈])"
_FIGURE = r"[*_\s]*(?<p>-?\.?\d[^\s)）\]】*_。]*)"
_SURE = r"0?\.\d+|1\.0+|\d+(?:\.\d+)?\s*[%％]"  # what stands for a probability without being called one
_OPEN, _CLOSE = r"[(（\[【]", r"[)）\]】]"
_AT_END = regex.compile(
    rf"[\s,;:，；：*_]*(?:[-–—•*][ \t]*)?"
    rf"(?:{_OPEN}?\s*[*_]*{_LABEL}{_FIGURE}[*_\s]*{_CLOSE}?"
    rf"|{_OPEN}\s*(?<p>{_SURE})\s*{_CLOSE}|[-–—][ \t]*(?<p>{_SURE}))[\s.。]*\Z",
    regex.IGNORECASE,
)
_AT_START = regex.compile(rf"\A{_OPEN}\s*(?:{_LABEL}\s*)?(?<p>{_SURE})\s*{_CLOSE}[\s:：]*", regex.IGNORECASE)
_NUMBERED = regex.compile(
    r"^[ \t*#_•-]*"
    r"(?:(?:response|reply|option|answer|回复|回答|选项)\s*\d{1,3}\s*[.)、:：]?|[(（]?\d{1,3}[.)）、:：](?!\d))"
    r"[*_]*[ \t]*",
    regex.IGNORECASE | regex.MULTILINE,
)
_OPENING = regex.compile(r"[\[{]")
_BARE_LIST = regex.compile(r"\s*(?:```\w*\s*)?\[")
_OPEN_STRING = regex.compile(r'"(?:[^"\\\n]|\\.)*\Z')
_BULLETED = regex.compile(r"^[-*•][ \t]+", regex.MULTILINE)


def read_answer(answer: str) -> tuple[list[Item], list[str]]:
    r"""Return the replies in an answer, and what was wrong with it, in words.

    The first form that holds a reply counts: tags, JSON, a numbered list, a bulleted one.

    Example:
        >>> read_answer("- Apple (60%)\n- Quince")
        ([('Apple', 0.6), ('Quince', None)], [])
    """
    problems: list[str] = []
    for read in (_tagged, _json, _listed):
        items = [item for item in read(answer, problems) if item[0]]
        if items:
            return items, problems
    return [], problems


def _tagged(answer: str, problems: list[str]) -> list[Item]:
    items: list[Item] = []
    for attributes, body, end in _RESPONSE.findall(answer):
        probability = _PROBABILITY.search(body)
        text = _TEXT.search(body)
        at_limit = not end and not body.strip().endswith(">") and answer.rstrip().endswith(body.rstrip())
        if at_limit and not (text and text[2]) and not probability:
            problems.append("the answer stops within a reply, which is left out")
            continue
        given = probability or _ATTRIBUTE.search(attributes)
        items.append(
            ((text[1] if text else _PROBABILITY.sub("", body)).strip(), _weight(given and given[1], problems))
        )
    return items


def _json(answer: str, problems: list[str]) -> list[Item]:
    items: list[Item] = []
    decoder, place = json.JSONDecoder(), 0
    bare = _BARE_LIST.match(answer) is not None
    while found := _OPENING.search(answer, place):
        try:
            value, place = decoder.raw_decode(answer, found.start())
        except ValueError:
            place = found.end()
        except RecursionError:  # thousands of brackets in each other are no replies
            break
        else:
            items += _in_json(value, problems, bare)
    if items and _OPEN_STRING.search(answer, place):
        problems.append("the answer stops within a reply, which is left out")
    return items


def _in_json(value: object, problems: list[str], bare: bool = True) -> Iterator[Item]:
    """Yield the replies in a decoded value; lists of bare strings only where `bare`."""
    if isinstance(value, list):
        for each in value:
            if isinstance(each, str):
                yield from [(each.strip(), None)] if bare else []
            else:
                yield from _in_json(each, problems)
    elif isinstance(value, dict):
        keys = {str(key).lower(): key for key in value}
        text = next((value[keys[name]] for name in _TEXT_KEYS if isinstance(value.get(keys.get(name)), str)), None)
        if text is not None:
            weight = next((value[keys[name]] for name in (*_PROBABILITY_KEYS, "p") if name in keys), None)
            yield text.strip(), _weight(weight, problems)
        elif value and all(isinstance(each, (int, float)) for each in value.values()):
            yield from ((str(key).strip(), _weight(each, problems)) for key, each in value.items())
        else:
            for each in value.values():
                yield from _in_json(each, problems)


def _listed(answer: str, problems: list[str]) -> list[Item]:
    marks = list(_NUMBERED.finditer(answer)) or list(_BULLETED.finditer(answer))
    ends = [*(mark.start() for mark in marks), len(answer)][1:]
    items: list[Item] = []
    for mark, end in zip(marks, ends, strict=True):
        text = answer[mark.end() : end].strip()
        found = _AT_END.search(text) or _AT_START.search(text)
        rest = (text[: found.start()] + text[found.end() :] if found else text).strip().strip("*_").strip()
        items.append((_unquoted(rest), _weight(found["p"] if found else None, problems)))
    return items


def _unquoted(text: str) -> str:
    quotes = {'"': '"', "“": "”", "「": "」", "'": "'"}
    whole = len(text) > 1 and quotes.get(text[0]) == text[-1] and text[0] not in text[1:-1]
    return text[1:-1].strip() if whole else text


def _weight(value: object, problems: list[str]) -> float | None:
    """Return a probability that was given as a number or in words; `None` where there is none."""
    if value is None or value == "":
        return None
    found = _NUMBER.search(str(value))
    number = float(found[1]) / (100.0 if found[2] else 1.0) if found else math.nan
    if not 0 <= number < math.inf:
        problems.append(f"{str(value).strip()!r} is no probability")
        return None
    return number
