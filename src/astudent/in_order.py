"""Many questions at once, their results in the order of asking."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable


async def in_order[T, R](work: Callable[[T], Awaitable[R]], items: Iterable[T], ahead: int) -> AsyncGenerator[R]:
    """`work` of each item, in the order of the items; at most `ahead` are begun and not yet given out.

    An error of one ends it, and cancels what was begun after it.
    """
    begun: deque[asyncio.Future[R]] = deque()
    try:
        for item in items:
            begun.append(asyncio.ensure_future(work(item)))
            if len(begun) >= ahead:
                yield await begun.popleft()
        while begun:
            yield await begun.popleft()
    finally:
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
