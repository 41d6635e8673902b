"""A container engine: docker or podman, whichever answers."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from swath.errors import ConfigError, ServiceError


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerEngine:
    """What builds, runs and pushes images.

    Args:
        program: Path of docker or podman.
        options: Words between the program and its command.
    """

    program: str
    options: tuple[str, ...] = ()

    @classmethod
    def there(cls, name: str = "") -> Self:
        """The named engine, or the first that answers.

        Raises:
            ConfigError: No engine answers.
        """
        for each in [name] if name else ["docker", "podman"]:
            found = shutil.which(each)
            if found and subprocess.run([found, "info"], capture_output=True, check=False).returncode == 0:
                return cls(program=found)
        msg = f"{name or 'neither docker nor podman'} answers: images are built by a container engine"
        raise ConfigError(msg)

    def build(self, image: str, *, root: Path, dockerfile: str, arguments: Mapping[str, str], labels: Mapping[str, str]) -> None:
        """Build an image.

        Args:
            image: Name and tag.
            root: Context.
            dockerfile: Below the context.
            arguments: Build arguments.
            labels: Labels of the image.

        Raises:
            ConfigError: The build failed.
        """
        named = [word for key, value in sorted(arguments.items()) for word in ("--build-arg", f"{key}={value}")]
        named += [word for key, value in sorted(labels.items()) for word in ("--label", f"{key}={value}")]
        done = self._call("build", "--network", "host", "-f", str(root / dockerfile), "-t", image, *named, str(root))
        if done.returncode:
            msg = f"{dockerfile}: the image cannot be built: {_last_lines(done)}"
            raise ConfigError(msg)

    def run(self, image: str, *, words: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> str:
        """What a command in an image prints, with no network.

        Args:
            image: Name and tag.
            words: The command.
            folder: Seen as ``/source``, read-only.
            environment: Variables.

        Raises:
            ConfigError: The command failed.
        """
        variables = [word for key, value in environment.items() for word in ("-e", f"{key}={value}")]
        closed = ["--rm", "--network", "none", "-v", f"{folder.absolute()}:/source:ro", *variables]
        done = self._call("run", *closed, "--entrypoint", words[0], image, *words[1:])
        if done.returncode:
            msg = f"{image}: {_last_lines(done)}"
            raise ConfigError(msg)
        return done.stdout

    def push(self, image: str) -> None:
        """Push an image by its tag.

        Raises:
            ServiceError: The registry does not take it.
        """
        # Docker asks loopback without a certificate by itself, podman only with an option.
        plain = (
            ("--tls-verify=false",) if self.program.endswith("podman") and image.startswith(("localhost:", "127.0.0.1:")) else ()
        )
        done = self._call("push", *plain, image)
        if done.returncode:
            msg = f"{image}: cannot be pushed: {_last_lines(done)}"
            raise ServiceError(msg)

    def _call(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.program, *self.options, *words], capture_output=True, text=True, check=False)


def _last_lines(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join([line for line in (done.stderr or done.stdout).splitlines() if line.strip()][-3:]) or str(done.returncode)
