"""Several children of one process at once: few requests need no Spark."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

from swath.engine.child.nursery import Nursery
from swath.engine.child.parent import Child, Limits
from swath.engine.refused import Refused

Json = dict[str, Any]
#: Hears of a request and its answer.
Heard = Callable[[Mapping[str, Any], Mapping[str, Any]], None]


class Crew:
    """Children that share requests.

    Args:
        children: Number of children.
        limits: Limits of each request.
        nursery: Forks them; see ``Child``.
    """

    def __init__(self, children: int, *, limits: Limits, nursery: Nursery | None) -> None:
        self._children = [Child(limits, nursery=nursery) for _ in range(max(children, 1))]

    def __enter__(self) -> Self:
        """Nothing: a child starts with its first request."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the children."""
        for child in self._children:
            child.close()

    def answers(self, requests: Sequence[Json], *, heard: Heard) -> list[Json]:
        """Have all requests done.

        Args:
            requests: Requests in their JSON form.
            heard: Hears of each as it is done, in the thread of the caller; what it raises ends the work.

        Returns:
            The answers in the order of the requests; a refusal is an answer too.

        Raises:
            InfrastructureError: See ``Child.call``.
        """
        idle = SimpleQueue[Child]()
        for child in self._children:
            idle.put(child)

        def one(request: Json) -> Json:
            child = idle.get()
            try:
                answer = child.call(request)
            finally:
                idle.put(child)
            return answer.answer() if isinstance(answer, Refused) else answer

        with ThreadPoolExecutor(len(self._children)) as threads:
            work: dict[Future[Json], Json] = {threads.submit(one, request): request for request in requests}
            try:
                for done in as_completed(work):
                    heard(work[done], done.result())
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise
            return [done.result() for done in work]
