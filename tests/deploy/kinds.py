"""Argo's and Flux's objects against their published types: TypeScript refuses fields that they do not have, however deep."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.deploy.environments import ROOT

_LOCK = Path(__file__).resolve().parent / "locks" / "kinds"
_PACKAGES = {"argoproj.io": "@kubernetes-models/argo-workflows", "toolkit.fluxcd.io": "@kubernetes-models/flux-cd"}
_COMPILER = ("--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--moduleResolution", "nodenext")


def _environment() -> Path:
    """The folder with the packages of ``locks/kinds``, made when it is not there."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed: the types of Argo and Flux are its packages")
    lock, folder = _LOCK / "package-lock.json", ROOT / ".cache" / "environments" / "kinds"
    stamp, wanted = folder / "lock.sha256", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file in (lock, _LOCK / "package.json"):
            shutil.copy(file, folder)
        words = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            pytest.skip(f"the types of Argo and Flux cannot be installed here: {done.stderr.strip()[-300:]}")
        stamp.write_text(wanted)
    return folder


def problems(objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """What of the objects their types do not have: one line each; empty when everything is right."""
    folder = _environment()
    lines = []
    for number, made in enumerate(objects):
        package = next(name for group, name in _PACKAGES.items() if made["apiVersion"].split("/")[0].endswith(group))
        kind = made["kind"]
        lines.append(f'import type {{ I{kind} as Kind{number} }} from "{package}/{made["apiVersion"]}/{kind}";')
        lines.append(f"export const object{number}: Kind{number} = {json.dumps(made)};")
    source = folder / f"objects-{hashlib.sha256(json.dumps(lines).encode()).hexdigest()[:12]}.ts"
    source.write_text("\n".join(lines), encoding="utf-8")
    try:
        done = subprocess.run(
            [str(folder / "node_modules" / ".bin" / "tsc"), *_COMPILER, source.name],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    finally:
        source.unlink()
    return done.stdout.splitlines()
