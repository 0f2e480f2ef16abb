"""Records in and out: files of replies, grouped by prompt."""

from hfdiv.data.records import DataError, Records, read_records, write_records


__all__ = ["DataError", "Records", "read_records", "write_records"]
