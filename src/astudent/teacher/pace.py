"""How many calls may be under way on one server: as many as make it faster, fewer when it says that it is busy.

Hill climbing on throughput, as a sender that knows nothing of the path does it: the limit doubles while that pays
(slow start), then stays and is tried a step higher from time to time. A busy server or a time-out lowers it by a quarter.
"""

import time
from collections.abc import Callable

FIRST = 4
GAIN = 1.02
"""A higher limit stays when throughput rose by this factor: a call too many costs a wait in the server's queue only."""
PATIENT_ROUNDS = 10
"""Rounds at a settled limit before a higher one is tried."""


class Pace:
    """The limit of one server. `work` of a reply is in any unit that grows with its cost, such as tokens."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = min(FIRST, most)
        self._most, self._clock = most, clock
        self._settled = (0, 0.0)  # a limit, and the throughput that it gave
        self._is_climbing, self._doubted = True, False
        self._rounds = 0
        self._begin_round()

    def done(self, work: float, was_full: bool) -> None:
        """A reply came. `was_full`: as many calls as allowed were under way; else the limit was not what slowed."""
        self._full += was_full
        self._replies += 1
        self._work += work
        if self._replies >= (self.limit if self._is_climbing else 2 * self.limit):
            self._end_round()

    def back_off(self) -> None:
        """The server was busy, or too slow; of several such replies in one round one counts."""
        if not self._backed_off:
            self.limit = max(1, self.limit * 3 // 4)
            self._is_climbing = False
            self._settled = (self.limit, 0.0)
            self._rounds = 0
            self._begin_round()
            self._backed_off = True

    def _begin_round(self) -> None:
        self._started = self._clock()
        self._replies = self._full = 0
        self._work = 0.0
        self._backed_off = False

    def _end_round(self) -> None:
        if self._full * 2 >= self._replies:
            self._learn(self._work / max(1e-9, self._clock() - self._started))
        self._begin_round()

    def _learn(self, throughput: float) -> None:
        limit, before = self._settled
        pays = self.limit > limit and throughput > GAIN * before
        if self._is_climbing and self.limit > limit and not pays and not self._doubted:
            self._doubted = True  # one slow round proves nothing: a pause of the machine looks the same
            return
        self._doubted = False
        if self.limit <= limit:
            self._settled = (limit, throughput if before == 0.0 else 0.8 * before + 0.2 * throughput)
            self._rounds += 1
            if self._rounds >= PATIENT_ROUNDS:
                self._rounds = 0
                self.limit = min(self._most, limit + max(1, limit // 4))
        elif pays:
            self._settled = (self.limit, throughput)
            self.limit = min(self._most, self.limit * 2 if self._is_climbing else self.limit + max(1, self.limit // 4))
        else:
            # A little above the best known: the server's next call is there before the client has read a reply.
            slack = min(self._most, self.limit, limit + limit // 4 + 1) if self._is_climbing else limit
            self._is_climbing = False
            self._settled = (slack, before)
            self.limit = slack
