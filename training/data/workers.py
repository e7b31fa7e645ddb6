"""Many jobs over a few processes, in order, a bounded number ahead, surviving the death of a worker."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from runtime.contracts.errors import TrainingError

J = TypeVar("J")
R = TypeVar("R")

_AHEAD = 6
_DEATHS = 5


def spread(function: Callable[[J], R], jobs: Iterable[J], workers: int) -> Iterator[R]:
    """`map(function, jobs)` in `workers` processes; with 0 in this one.

    At most six results a worker wait to be fetched. Jobs under way when a worker is killed are done again, so
    they should not depend on what came before; after five deaths TrainingError is raised.
    """
    if workers < 1:
        yield from map(function, jobs)
        return
    todo, waiting, deaths = iter(jobs), deque[tuple[J, "Future[R]"]](), 0
    pool = _pool(workers)
    try:
        while True:
            try:
                while len(waiting) < workers * _AHEAD and (job := next(todo, None)) is not None:
                    waiting.append((job, Future()))
                    waiting[-1] = job, pool.submit(function, job)
                if not waiting:
                    return
                result = waiting[0][1].result()
            except BrokenProcessPool as error:
                deaths += 1
                if deaths > _DEATHS:
                    raise TrainingError(
                        f"worker processes died {deaths} times; is there enough memory? try --workers 1"
                    ) from error
                pool.shutdown(wait=False)
                pool = _pool(workers)
                waiting = deque((job, pool.submit(function, job)) for job, _ in waiting)
                continue
            waiting.popleft()
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _pool(workers: int) -> ProcessPoolExecutor:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by the workers when they start
    # spawn: a fork would copy torch's threads and locks half alive
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))
