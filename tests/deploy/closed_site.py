"""What a site without a link does with a bundle, and nothing else: run in a closed network by the Python of the node.

Arguments: the bundle, the public key, the folder of a scene, a folder of its own. Everything that it needs is in the bundle:
packages without an index, jars, PROJ's tables, the model. Prints one JSON object.
"""

import hashlib
import json
import os
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PORT = 5899


def said(*words: str, **variables: str) -> str:
    """What a command prints; its words are part of the error if it fails."""
    environment = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "JAVA_HOME"}}
    done = subprocess.run(words, env={**environment, **variables}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{words}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


@contextmanager
def registry(folder: Path) -> Any:
    """Debian's docker-registry on loopback."""
    folder.mkdir()
    config = folder / "config.json"
    stored = {"filesystem": {"rootdirectory": str(folder / "data")}}
    config.write_text(json.dumps({"version": 0.1, "storage": stored, "http": {"addr": f"127.0.0.1:{PORT}"}}))
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(["/usr/bin/docker-registry", "serve", str(config)], stdout=log, stderr=log) as server,
    ):
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{PORT}/v2/", timeout=1).close()
                    break
                except OSError:
                    server.poll()
            yield f"127.0.0.1:{PORT}"
        finally:
            server.terminate()


def main() -> None:
    bundle, key, scene, home = map(Path, sys.argv[1:5])
    told: dict[str, Any] = {}
    venv = home / "venv"
    said(sys.executable, "-m", "venv", str(venv))
    python, swath = str(venv / "bin" / "python"), str(venv / "bin" / "swath")
    pip = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index")
    (own,) = (bundle / "swath").glob("swath-*.whl")
    lock = next((bundle / "swath").glob("requirements*.lock"))
    said(*pip, "--find-links", str(bundle / "wheels"), "--require-hashes", "-r", str(lock))
    said(*pip, "--no-deps", str(own))
    told["packages"] = len(json.loads(said(python, "-m", "pip", "list", "--format", "json")))
    told["verified"] = said(swath, "bundle", "verify", str(bundle), "--key", str(key))
    said(swath, "bundle", "install", str(bundle), "--key", str(key), "--to", str(home / "site"))
    current = home / "site" / "current"
    images = json.loads((bundle / "bundle.json").read_text())["images"]
    with registry(home / "registry") as address:
        told["pushed"] = said(swath, "bundle", "push", str(current), "--key", str(key), "--registry", address)
        told["pulled"] = [pulled(image, address, home / f"pulled-{n}") for n, image in enumerate(images)]
    # The wheels carry PROJ tables of their own: another version of them would not fit.
    jars = {"SWATH_JARS": str(current / "jars"), "SPARK_LOCAL_IP": "127.0.0.1"}
    cache = {**jars, "SWATH_CACHE": str(home / "cache"), "MLFLOW_TRACKING_URI": f"sqlite:///{home}/mlflow.db"}
    (model,) = (current / "models").glob("*.tar")
    out = str(home / "out")
    said(swath, "models", "import", "--bundle", str(model), "--key", str(key), "--alias", "production", "--output", out, **cache)
    pipeline = home / "maps.yaml"
    steps = ["toa", {"landcover": {"model": "tiny@production"}}]
    assets = {"required": ["toa", "landcover"], "optional": ["landcover_probability"]}
    pipeline.write_text(json.dumps({"name": "maps", "version": 1, "steps": steps, "assets": assets}))
    words = ("run", str(pipeline), "--input", str(scene), "--output", out, "--run-id", "closed", "--json")
    told["run"] = json.loads(said(swath, *words, **cache).splitlines()[-1])
    told["run"] = {name: told["run"][name] for name in ("made", "quarantined", "models")}
    sys.stdout.write(json.dumps(told) + "\n")


def pulled(image: dict[str, str], address: str, into: Path) -> bool:
    """Pull an image by its digest; whether the manifest has it."""
    name = f"{address}/{image['name'].partition('/')[2]}@{image['digest']}"
    said("skopeo", "copy", "-q", "--all", "--preserve-digests", "--src-tls-verify=false", f"docker://{name}", f"dir:{into}")
    return hashlib.sha256((into / "manifest.json").read_bytes()).hexdigest() == image["digest"].removeprefix("sha256:")


main()
