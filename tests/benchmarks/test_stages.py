from __future__ import annotations

import itertools
import threading

from benchmarks.stages import Stages


class Tool:
    def outer(self) -> None:
        self.inner()

    def inner(self) -> None:
        pass


def test_a_stage_is_counted_without_those_inside_it() -> None:
    ticks = itertools.count(step=10)
    stages = Stages(lambda: next(ticks))

    with stages.watched([("outer", Tool, "outer"), ("inner", Tool, "inner")]):
        Tool().outer()

    assert stages.take() == {"outer": 20, "inner": 10}
    assert stages.take() == {}


def test_what_is_under_way_is_counted_up_to_now() -> None:
    ticks = itertools.count()
    stages = Stages(lambda: next(ticks))

    with stages.counting("long"):
        first = stages.take()

    assert (first, stages.take()) == ({"long": 1}, {"long": 1})


def test_threads_do_not_count_for_each_other() -> None:
    ticks = itertools.count(step=10)
    stages = Stages(lambda: next(ticks))

    def other() -> None:
        with stages.counting("other"):
            pass

    with stages.counting("one"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    assert stages.take() == {"other": 10, "one": 30}


def test_the_arguments_may_tell_the_stage() -> None:
    stages = Stages(itertools.count().__next__)

    stages.around(lambda name: f"call {name}", len)("ab")

    assert stages.take() == {"call ab": 1}
