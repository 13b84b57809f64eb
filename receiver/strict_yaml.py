"""YAML in which no key is there twice: of two, the one that does not count may be the one that is meant."""

from __future__ import annotations

from typing import Any

import yaml


class Twice(yaml.constructor.ConstructorError):
    """A key is there twice; `problem_mark` tells where the second one is."""


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            # One that is no text is refused later, by name.
            name = key.value if isinstance(key.value, str) else key
            if name in seen:
                raise Twice(None, None, "a key is there twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def load(text: str) -> Any:
    """Return the document that *text* is.

    Raises:
        Twice: A key is there twice in one mapping.
        yaml.YAMLError, ValueError, RecursionError: It is no YAML that can be read.
    """
    return yaml.load(text, _Loader)
