"""Each prompt and the one module that asks with it hold together: inputs, reply shape, role."""

import ast
import importlib
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from services.model.endpoint import Role
from services.model.prompt import PROMPTS_DIR, load_prompt
from tests.rules.test_house import calls, sources

NAMES = sorted(path.stem for path in PROMPTS_DIR.glob("*.md"))


def constants(tree: ast.Module) -> dict[str, str]:
    """Give the texts that a module has names for."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def loads(tree: ast.Module) -> Iterator[str]:
    """Name the prompts that a module loads; "?" where a rule cannot see which."""
    named = constants(tree)
    for call in calls(tree):
        if getattr(call.func, "id", getattr(call.func, "attr", None)) == "load_prompt":
            match call.args:
                case [ast.Constant(value=str(name))]:
                    yield name
                case [ast.Name(id=name)]:
                    yield named.get(name, "?")
                case _:
                    yield "?"


def fills(tree: ast.Module) -> list[set[str]]:
    """Give the names of the inputs of each `.fill(…)`."""
    dicts = {
        target.id: {key.value for key in node.value.keys if isinstance(key, ast.Constant)}
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    return [
        set().union(*(given(keyword, dicts) for keyword in call.keywords))
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "fill"
    ]


def given(keyword: ast.keyword, dicts: dict[str, set[str]]) -> set[str]:
    """Name what an argument gives: itself, or with `**name` the keys of the dict that the module writes out."""
    if keyword.arg is not None:
        return {keyword.arg}
    return dicts.get(keyword.value.id, {"?"}) if isinstance(keyword.value, ast.Name) else {"?"}


def users() -> dict[str, list[tuple[str, ast.Module]]]:
    """Give the modules that load each prompt."""
    found: dict[str, list[tuple[str, ast.Module]]] = {}
    for place, tree in sources("services"):
        for name in set(loads(tree)):
            found.setdefault(name, []).append((place, tree))
    return found


def test_callers__name_prompts_that_exist() -> None:
    assert sorted(users().keys() - set(NAMES)) == []


@pytest.mark.parametrize("name", NAMES)
def test_prompt__holds_and_asks_a_role_there_is(name: str) -> None:
    assert load_prompt(name).header.role in {None, *Role}


@pytest.mark.parametrize("name", NAMES)
def test_prompt__has_one_caller_that_gives_exactly_its_inputs(name: str) -> None:
    modules = users().get(name, [])
    assert len(modules) == 1, f"{name} is loaded by {[place for place, _ in modules]}"
    place, tree = modules[0]
    assert list(set(loads(tree))) == [name], f"{place} asks with several prompts"
    filled = fills(tree)
    assert filled, f"{place} never fills it"
    assert filled == [set(load_prompt(name).header.inputs)] * len(filled), place


@pytest.mark.parametrize("name", NAMES)
def test_prompt__names_every_field_of_the_reply(name: str) -> None:
    prompt = load_prompt(name)
    if prompt.header.reply == "text":
        return
    module, _, shape_name = prompt.header.reply.partition(":")
    shape = getattr(importlib.import_module(module), shape_name)
    assert issubclass(shape, BaseModel)
    text = "\n".join(said for _, said in prompt.parts)
    assert [field for field in shape.model_fields if f'"{field}"' not in text] == []
