"""Logs of conversations in: the replies in them, each with what led to it and what people made of it."""

from hfdiv.data.conversations.importing import Import, import_logs
from hfdiv.data.conversations.read import Logs, Rejected, line_of
from hfdiv.data.conversations.turns import Reply


__all__ = ["Import", "Logs", "Rejected", "Reply", "import_logs", "line_of"]
