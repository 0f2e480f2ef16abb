"""A command-line option for every setting of `DecodingConfig`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hfdiv.generation.config import DecodingConfig


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TYPES = {"int": int, "float": float, "bool": bool, "str": str}


def with_decoding_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of all settings: those that are set reach its parameter `decoding`, as a dict."""
    signature = inspect.signature(command, eval_str=True)
    settings = [_option(setting) for setting in fields(DecodingConfig)]

    @functools.wraps(command)
    def wrapper(**options: Any) -> None:  # noqa: ANN401 - options of any type
        given = {setting.name: options.pop(setting.name) for setting in settings}
        command(decoding={name: value for name, value in given.items() if value is not None}, **options)

    own = [parameter for name, parameter in signature.parameters.items() if name != "decoding"]
    wrapper.__signature__ = signature.replace(parameters=[*own, *settings])  # type: ignore[attr-defined]
    return wrapper


def decoding_config(
    path: Path | None, options: Mapping[str, Any], switches: Sequence[Mapping[str, Any]]
) -> DecodingConfig:
    """Return the config of a YAML file, with `options` in place of what it says.

    Args:
        path: The file.
        options: Settings by name.
        switches: Settings that go together. They count unless the file switches on the first of them.

    Raises:
        DataError: If a setting is not known or not possible.
        ImportError: If `pyyaml` is not installed.
        OSError: If the file cannot be read.
    """
    from hfdiv.data import DataError
    from hfdiv.generation.checks import check_names
    from hfdiv.generation.config import read_yaml

    try:
        in_file = {} if path is None else read_yaml(path)
        check_names(in_file, (setting.name for setting in fields(DecodingConfig)))
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
    try:
        switched = {
            name: switch[name] for switch in switches if not in_file.get(next(iter(switch))) for name in switch
        }
        return DecodingConfig.from_dict({**in_file, **switched, **options})
    except (TypeError, ValueError) as error:
        raise DataError(str(error)) from error


def _option(setting: Field[Any]) -> inspect.Parameter:
    name = setting.name.replace("_", "-")
    kind = _TYPES[str(setting.type).partition(" | ")[0]]
    declaration = f"--{name}/--no-{name}" if kind is bool else f"--{name}"
    default = "" if setting.default is None or kind is bool else f" [default: {setting.default}]"
    option = typer.Option(declaration, help=setting.metadata["help"] + default, show_default=False)
    annotation = Annotated[kind | None, option]  # type: ignore[valid-type]
    return inspect.Parameter(setting.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
