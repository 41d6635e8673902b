"""A small process that opens a nursery, as Spark's daemon does, and lends it: a test's own process may be too large to fork from.

``python nursery_host.py FD``: sends its channel over this socket, then waits until that closes.
"""

import os
import socket
import sys

from swath.engine.child.nursery_main import open_nursery

if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as borrower:
        nursery = open_nursery()
        assert nursery is not None
        socket.send_fds(borrower, [str(os.getpid()).encode()], [nursery.channel.fileno()])
        borrower.recv(1)
