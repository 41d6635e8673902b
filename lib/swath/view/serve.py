"""The server on the loopback interface, from its start to Ctrl-C."""

import socket
from collections.abc import Callable
from threading import Thread

import uvicorn

from swath.errors import ConfigError
from swath.view.app import View
from swath.view.rasters import load
from swath.view.source import ViewSource

HOST = "127.0.0.1"


def serve(source: ViewSource, *, port: int, base_map: str, opened: Callable[[str], None]) -> None:
    """Serve the map until the process is interrupted.

    Args:
        source: Source of the products.
        port: Port of 127.0.0.1; any free one for 0.
        base_map: Address of a site's map tiles; empty without one.
        opened: Called with the address as soon as it answers.

    Raises:
        ConfigError: The port is taken.
    """
    server = uvicorn.Server(uvicorn.Config(View(source, base_map=base_map).app(), log_level="error", lifespan="off"))
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            msg = f"port {port} of {HOST} cannot be used ({error.strerror}): choose another --port, or none for a free one"
            raise ConfigError(msg) from error
        listener.listen(128)
        opened(f"http://{HOST}:{listener.getsockname()[1]}/")
        # What reads rasters takes a second to load: it does so while the browser opens.
        Thread(target=load, daemon=True).start()
        server.run(sockets=[listener])
