"""Runs a command in a network whose other end is behind a slow link.

``unshare -rn python slow_network.py KBIT DELAY_MS LOSS COMMAND...``: what is sent to ``THERE`` comes back to ``HERE`` as if
another machine had sent it: source and destination change places, so checksums stay. Each packet waits for those before it (KBIT:
both directions together) and for DELAY_MS, and the share LOSS of them is lost, by a seed. It is made of a TUN device and not of
tc's netem, which few kernels of CI machines have.

Without delay and loss the link is the loopback behind tc's token bucket, which kernels have; ``THERE`` is this machine then.

Ends with 77 where no such link can be made. What crossed it is what ``/proc/self/net/dev`` says of the device; the command finds
both in its environment, ``SLOW_THERE`` and ``SLOW_DEVICE``.
"""

import fcntl
import os
import random
import struct
import subprocess
import sys
import threading
import time
from queue import SimpleQueue
from typing import Final

HERE, THERE, LOOPBACK = "10.9.0.1", "10.9.0.2", "127.0.0.1"
NO_SUCH_LINK: Final = 77
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_SOURCE, _DESTINATION, _PAYLOAD = slice(12, 16), slice(16, 20), slice(20, None)
_IPV4 = 4
#: A packet that would wait longer finds the queue full [s].
_PATIENCE_S = 5.0


class Link:
    """The link.

    Args:
        kbit: Bits a second that it carries, both directions together [kbit/s].
        delay_s: Of each packet [s].
        loss: Share of packets that is lost, in [0, 1).
    """

    def __init__(self, *, kbit: float, delay_s: float, loss: float) -> None:
        self._bits_a_second, self._delay_s, self._loss = 1000 * kbit, delay_s, loss
        self._device = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self._device, _TUNSETIFF, struct.pack("16sH", b"slow", _IFF_TUN | _IFF_NO_PI))
        for words in (f"addr add {LOOPBACK}/8 dev lo", "link set lo up", f"addr add {HERE}/24 dev slow", "link set slow up"):
            _set_up("ip", words)
        self._waiting = SimpleQueue[tuple[float, bytes]]()

    def carry(self) -> None:
        """Take packets until the process ends."""
        threading.Thread(target=self._deliver, daemon=True).start()
        draw, free = random.Random(11), time.monotonic()  # noqa: S311  no secret
        while True:
            packet = os.read(self._device, 1 << 16)
            now = time.monotonic()
            if packet[0] >> 4 != _IPV4 or free - now > _PATIENCE_S:
                continue
            free = max(free, now) + 8 * len(packet) / self._bits_a_second
            if draw.random() >= self._loss:
                turned = packet[:12] + packet[_DESTINATION] + packet[_SOURCE] + packet[_PAYLOAD]
                self._waiting.put((free + self._delay_s, turned))

    def _deliver(self) -> None:
        while True:
            at, packet = self._waiting.get()
            time.sleep(max(0.0, at - time.monotonic()))
            os.write(self._device, packet)


def _set_up(program: str, words: str) -> None:
    """Run ``ip`` or ``tc``.

    Raises:
        OSError: It failed, and not because what is asked for is there.
    """
    told = subprocess.run([f"/usr/sbin/{program}", *words.split()], capture_output=True, text=True, check=False)
    if told.returncode and "exists" not in told.stderr and "already" not in told.stderr:
        raise OSError(told.stderr)


def _narrow_loopback(kbit: float) -> None:
    for words in ("link set lo mtu 1500", "link set lo up"):
        _set_up("ip", words)
    _set_up("tc", f"qdisc add dev lo root tbf rate {kbit:g}kbit burst 64k latency 400ms")


def main(kbit: str, delay_ms: str, *, loss: str, command: list[str]) -> int:
    """Make the link and run the command; the command's code."""
    there, device = LOOPBACK, "lo"
    try:
        if float(delay_ms) or float(loss):
            link = Link(kbit=float(kbit), delay_s=float(delay_ms) / 1000, loss=float(loss))
            threading.Thread(target=link.carry, daemon=True).start()
            there, device = THERE, "slow"
        else:
            _narrow_loopback(float(kbit))
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return NO_SUCH_LINK
    return subprocess.run(command, env={**os.environ, "SLOW_THERE": there, "SLOW_DEVICE": device}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], loss=sys.argv[3], command=sys.argv[4:]))
