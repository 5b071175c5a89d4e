"""The limit of calls under way against simulated servers: time passes only in the test."""

import heapq

import pytest

from astudent.teacher.pace import Pace


def simulated(slots: int, calls: int, most: int = 64, refuse_above: int | None = None) -> tuple[Pace, float, list[int]]:
    """A server with `slots`, a second a reply, refusing what exceeds `refuse_above` calls at once; the time it took."""
    now = [0.0]
    pace = Pace(most, clock=lambda: now[0])
    busy: list[float] = []
    limits, sent = [], 0
    free = [0.0] * slots
    while sent < calls or busy:
        while sent < calls and len(busy) < pace.limit:
            if refuse_above is not None and len(busy) >= refuse_above:
                pace.back_off()
                break
            begin = max(now[0], heapq.heappop(free))
            heapq.heappush(free, begin + 1.0)
            heapq.heappush(busy, begin + 1.0)
            sent += 1
        was_full = len(busy) >= pace.limit
        now[0] = heapq.heappop(busy)
        pace.done(1.0, was_full)
        limits.append(pace.limit)
    return pace, now[0], limits


@pytest.mark.parametrize("slots", [1, 4, 16, 40])
def test_throughput_comes_near_that_of_the_server(slots: int):
    calls = 200 * slots
    _, seconds, limits = simulated(slots, calls)
    assert seconds <= 1.06 * calls / slots
    assert max(limits[len(limits) // 2 :]) <= 2.5 * slots + 5, "no crowd before a server that it cannot hurry"


def test_a_server_that_refuses_a_crowd_is_not_crowded():
    _, seconds, limits = simulated(8, 2000, refuse_above=10)
    assert seconds <= 1.15 * 2000 / 8
    assert max(limits[200:]) <= 16


def test_few_calls_teach_nothing():
    pace = Pace(32, clock=lambda: 0.0)
    for _ in range(100):
        pace.done(1.0, was_full=False)
    assert pace.limit == 4


def test_busy_replies_of_one_round_count_once_and_never_stop_all():
    pace = Pace(64, clock=lambda: 0.0)
    for _ in range(100):
        pace.back_off()
    assert pace.limit == 3
    for _ in range(100):
        for _ in range(2 * pace.limit):
            pace.done(1.0, was_full=True)
        pace.back_off()
    assert pace.limit == 1
