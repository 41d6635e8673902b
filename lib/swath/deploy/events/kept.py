"""Messages that stay ours while a run is at work, however long, and come back soon when it is killed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from swath.deploy.events.message import Arrival
from swath.deploy.events.queue import SqsQueue
from swath.errors import SwathError

#: Time after which they come back unless it is extended.
KEEP_S = 900


@contextmanager
def kept(queue: SqsQueue, arrivals: list[Arrival], *, say: Callable[[str], None], every_s: float = KEEP_S / 3) -> Iterator[None]:
    """Say again and again that messages are still ours, until the block ends.

    Args:
        queue: Queue.
        arrivals: The messages.
        say: Hears that the queue did not answer; the run goes on, and a message that came back is done twice at worst.
        every_s: Seconds between two times.
    """
    over = threading.Event()

    def keep() -> None:
        while not over.wait(every_s):
            try:
                queue.keep(arrivals, seconds=KEEP_S)
            except SwathError as error:
                say(f"messages may come back: {error}")

    keeper = threading.Thread(target=keep, name="swath-queue", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()
