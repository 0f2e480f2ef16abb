"""The command line: parse, call one function below, print."""

from hfdiv.cli.app import main


__all__ = ["main"]
