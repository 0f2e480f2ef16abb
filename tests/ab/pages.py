"""An analysis whose every text is hostile, and what a browser makes of a page."""

from tests.ab.logs import row, talk


NASTY = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</details></body><style>*{display:none}</style>",
    "{{ 7 * 7 }} {% raw %}",
    "您好，<世界> &lt;b&gt;",
    "مرحبا \u202e<b>",
]


def rows_with(text, arm="varied"):
    """A log in which experiment, arm, unit, question, reply and a column bear one text."""
    for number in range(120):
        name = ("control", arm)[number % 2]
        yield row(
            f"{text}{number}",
            name,
            text,
            messages=talk(text, f"{text} {number}"),
            abandoned=number % 5 == 0,
            experiment=text,
            **{text: number % 3},
        )
