"""How many bytes what an object reaches takes, as Python and numpy count them."""

from __future__ import annotations

import gc
import sys
import types
from typing import Any

import numpy as np

_SHARED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
"""Code, which is not of the object that refers to it."""


def reached_bytes(root: Any, seen: set[int]) -> int:
    """Return the bytes of all that *root* reaches and that is not in *seen*, to which it is added.

    Ids stay in *seen*: what they are of must stay alive as long as that is used. What lies behind
    objects of other languages (an index of faiss, a connection) is not seen.
    """
    total, waiting = 0, [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, _SHARED):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        # numpy does not tell the collector what a view looks into.
        if isinstance(one, np.ndarray) and one.base is not None:
            waiting.append(one.base)
        waiting.extend(gc.get_referents(one))
    return total
