"""What people think of replies: blind tasks out, answers back in."""

from hfdiv.data.annotation.agreement import krippendorff_alpha, summarise
from hfdiv.data.annotation.answers import Answer, unblind
from hfdiv.data.annotation.hybrid import hybrid_rows, hybrid_score
from hfdiv.data.annotation.key import read_key, write_key
from hfdiv.data.annotation.read import read_answers
from hfdiv.data.annotation.tasks import Reply, Task, TaskSet, pairwise_tasks, rating_tasks
from hfdiv.data.annotation.write import write_tasks


__all__ = [
    "Answer",
    "Reply",
    "Task",
    "TaskSet",
    "hybrid_rows",
    "hybrid_score",
    "krippendorff_alpha",
    "pairwise_tasks",
    "rating_tasks",
    "read_answers",
    "read_key",
    "summarise",
    "unblind",
    "write_key",
    "write_tasks",
]
