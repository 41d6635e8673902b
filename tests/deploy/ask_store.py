"""Run in a closed network: asks one bucket by boto3, GDAL and S3A, and tells with which key id each signed.

Arguments: ``CREDENTIALS`` (``profile`` or ``container``), the class path of S3A, and the settings and variables that a
rendering made, as JSON. The store is a server in this process that answers everything with an empty list.
"""

import json
import os
import re
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_EMPTY = (
    b'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<Name>scenes</Name><Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>"
)
_CLIENTS = {"hadoop": "s3a", "gdal": "gdal", "boto3": "boto3"}
signed: dict[str, set[str]] = {"boto3": set(), "gdal": set(), "s3a": set()}


class _Store(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature of the base class
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        if self.path.startswith("/credentials"):
            body = {"AccessKeyId": "CONTAINERKEYID", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}
            self._send(json.dumps(body).encode(), kind="application/json")
            return
        found = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
        if found:
            told = self.headers.get("User-Agent", "").lower()
            signed[next((name for word, name in _CLIENTS.items() if word in told), "no name")].add(found[1])
        self._send(_EMPTY, kind="application/xml")

    def _send(self, body: bytes, *, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Wed, 25 Nov 2026 00:00:00 GMT")
        self.send_header("ETag", '"x"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def main() -> None:
    kind, jars, given = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Store)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    os.environ |= given["variables"] | {"AWS_ENDPOINT_URL_S3": address, "PYSPARK_PYTHON": sys.executable}
    if kind == "profile":
        folder = Path(given["folder"])
        (folder / "credentials").write_text(
            "[default]\naws_access_key_id = PROFILEKEYID\naws_secret_access_key = s\n", encoding="utf-8"
        )
        os.environ |= {"AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"), "AWS_CONFIG_FILE": str(folder / "config")}
    else:
        os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{address}/credentials"

    os.environ["SWATH_STORES"] = json.dumps({"scenes": {"endpoint": address, "addressing": "path"}})

    import rasterio  # noqa: PLC0415 - after the variables are set
    from pyspark.sql import SparkSession  # noqa: PLC0415

    from swath.readers.files.gdal_env import gdal_env  # noqa: PLC0415
    from swath.stores.registry import open_store  # noqa: PLC0415

    list(open_store("s3://scenes").list(""))
    with gdal_env("/vsis3/scenes/x.tif"), suppress(rasterio.errors.RasterioIOError):
        rasterio.open("/vsis3/scenes/x.tif")
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1")
    for key, value in {**given["settings"], "spark.driver.extraClassPath": jars}.items():
        builder = builder.config(key, value)
    bucket = "spark.hadoop.fs.s3a.bucket.scenes."
    spark = builder.config(f"{bucket}endpoint", address).config(f"{bucket}connection.ssl.enabled", "false").getOrCreate()
    java: Any = spark.sparkContext._jvm
    path = java.org.apache.hadoop.fs.Path("s3a://scenes/incoming")
    try:
        path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()).exists(path)
    finally:
        sys.stdout.write(json.dumps({client: sorted(keys) for client, keys in signed.items()}) + "\n")
        sys.stdout.flush()
        spark.stop()


main()
