"""Makes credentials providers as S3A makes them and asks each for credentials. Arguments: names of Java classes."""

import json
import sys
from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.java_gateway import launch_gateway


def main() -> None:
    gateway: Any = launch_gateway()  # type: ignore[no-untyped-call]
    java: Any = gateway.jvm
    conf = java.org.apache.hadoop.conf.Configuration()
    told: dict[str, str] = {}
    for name in sys.argv[1:]:
        conf.set("fs.s3a.aws.credentials.provider", name)
        try:
            uri = java.java.net.URI("s3a://scenes/")
            providers = java.org.apache.hadoop.fs.s3a.auth.CredentialProviderListFactory.createAWSCredentialProviderList(
                uri, conf
            )
            told[name] = str(providers.resolveCredentials().accessKeyId())
        except Py4JJavaError as error:
            told[name] = java.org.apache.hadoop.util.StringUtils.stringifyException(error.java_exception)
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    gateway.shutdown()


main()
