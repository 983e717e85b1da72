"""Writes docs/settings.md: `python -m services.kit.settings_doc > docs/settings.md`; a test compares the two."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from services.kit.document_settings import SHIPPED_RULES, FolderRule
from services.kit.model_settings import ModelSettings, ModelsSettings
from services.kit.settings import CHECKOUT, Settings

HEAD = """# Settings

Generated from the settings of `services/kit` by `python -m services.kit.settings_doc`: change it there.

Each name can be given in the environment, in `.env` of the working directory, or in `$SEODANG_HOME/seodang.toml`; the
first that names a value wins. In TOML the name is written without prefix and in lower case, and `__` is a table:
`SEODANG_QUEUE__LOOK_S=1` is `look_s = 1` under `[queue]`. `seodang config` prints what is in effect.
"""
BOUNDS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
KINDS = {int: "number", float: "number", str: "text", bool: "true or false", Path: "path", SecretStr: "secret text"}


def document() -> str:
    """Give the whole text of docs/settings.md."""
    sections = [HEAD, *_table("", _leaves(Settings))]
    for name, field in Settings.model_fields.items():
        if _is_part(field):
            sections += _section(name, type(field.default))
    return "\n".join([*sections, *_rules()])


def _section(name: str, part: type[BaseModel]) -> Iterator[str]:
    yield f"## {name.replace('__', '.')}\n\n{(part.__doc__ or '').strip()}\n"
    if part is ModelsSettings:
        roles = ", ".join(f"`{role.upper()}`" for role in part.model_fields)
        yield f"`<ROLE>` is one of {roles}.\n"
        yield from _table("MODELS__<ROLE>__", _leaves(ModelSettings))
        return
    yield from _table(f"{name.upper()}__", _leaves(part))
    for inner, field in part.model_fields.items():
        if _is_part(field):
            yield from _section(f"{name}__{inner}", type(field.default))


def _is_part(field: FieldInfo) -> bool:
    return isinstance(field.default, BaseModel)


def _leaves(part: type[BaseModel]) -> dict[str, FieldInfo]:
    return {name: field for name, field in part.model_fields.items() if not _is_part(field)}


def _table(prefix: str, fields: dict[str, FieldInfo]) -> Iterator[str]:
    yield "| name | default | takes | meaning |\n|---|---|---|---|"
    for name, field in fields.items():
        yield f"| `SEODANG_{prefix}{name.upper()}` | {_default(field)} | {_takes(field)} | {field.description} |"
    yield ""


def _default(field: FieldInfo) -> str:
    match field.default:
        case None:
            return "unset"
        case tuple():
            return "see below"
        case Path() as path:
            return f"`{path.relative_to(CHECKOUT)}` in the checkout"
        case float() as number:
            return f"`{number:g}`"
        case value:
            return f"`{value}`"


def _takes(field: FieldInfo) -> str:
    kind = _kind(field.annotation)
    bounds = [f"{sign} {value:g}" for name, sign in BOUNDS.items() if (value := _bound(field, name)) is not None]
    return " ".join([kind, ", ".join(bounds)]).strip()


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    plain = [each for each in get_args(annotation) or (annotation,) if each not in (NoneType, Ellipsis)]
    return KINDS.get(get_args(plain[0])[0] if get_args(plain[0]) else plain[0], "list of tables")


def _bound(field: FieldInfo, name: str) -> float | None:
    inner = [mark for part in get_args(field.annotation) for mark in getattr(part, "__metadata__", ())]
    marks = [mark for each in inner for mark in getattr(each, "metadata", [each])]
    return next((getattr(mark, name) for mark in [*field.metadata, *marks] if hasattr(mark, name)), None)


def _rules() -> Iterator[str]:
    yield f"## ingest.rules\n\n{FolderRule.__doc__}\n"
    yield "| name | meaning |\n|---|---|"
    for name, field in FolderRule.model_fields.items():
        yield f"| `{name}` | {field.description} |"
    yield "\nShipped, and replaced as a whole by the first rule of your own:\n\n```toml"
    yield "\n\n".join(_toml(rule) for rule in SHIPPED_RULES)
    yield "```\n"


def _toml(rule: FolderRule) -> str:
    values = rule.model_dump(exclude_defaults=True).items()
    lines = [f"{name} = {str(value).lower() if isinstance(value, bool) else repr(value)}" for name, value in values]
    return "\n".join(["[[ingest.rules]]", *lines])


if __name__ == "__main__":
    sys.stdout.write(document())
