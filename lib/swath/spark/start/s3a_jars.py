"""The jars that let Spark open ``s3a://``: hadoop-aws, and those modules of the AWS SDK that it loads, 9 MB in all.

hadoop-aws asks for the SDK's bundle, 558 MB of every service there is. What it loads is S3, the transfer manager, and STS for
web identity; everything else that these need (Netty, Apache's HTTP client, SLF4J) comes with Spark.
"""

from dataclasses import dataclass

HADOOP_AWS_VERSION = "3.4.1"
SDK, SDK_VERSION = "software.amazon.awssdk", "2.24.6"


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """A file that must be exactly this one."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """An artifact of a Maven repository.

    Args:
        name: Artifact.
        sha256: SHA-256 of its jar, in hexadecimal digits.
        group: Group.
        version: Version.
    """

    name: str
    sha256: str
    group: str = SDK
    version: str = SDK_VERSION

    @property
    def jar(self) -> Jar:
        """Its file."""
        return Jar(name=f"{self.name}-{self.version}.jar", sha256=self.sha256)

    @property
    def coordinates(self) -> str:
        """As Maven and Spark spell it."""
        return f"{self.group}:{self.name}:{self.version}"


#: Of Spark 4.0's own Hadoop, and the SDK that this version was built with; only for outputs on S3.
S3A_MODULES = (
    Module(
        name="hadoop-aws",
        sha256="01334a07e179cae2b7e251f24857f11e3759108c9d6a79dcbe362a4295227da2",
        group="org.apache.hadoop",
        version=HADOOP_AWS_VERSION,
    ),
    Module(name="annotations", sha256="ffb1e2c3fa4fb065e7fc154cfafa0128f46eba05435c92e0ef41e318190e5ef9"),
    Module(name="apache-client", sha256="0d18fa0e1e75630b37101b34e9f0f27856e3d392eac954de6917f55f640693db"),
    Module(name="arns", sha256="4574d107fb6242598293fef6e0667afc868545ddee242a59ebf28c8a4a8c7c5a"),
    Module(name="auth", sha256="f2e6045d594f2bb15d165518e1099f19f547184d6faa3f49175e2e700428248a"),
    Module(name="aws-core", sha256="63f215ec3692e56d9dd1529036acbb7be0a7056ac757d49498b7c8c294862074"),
    Module(name="aws-query-protocol", sha256="3175d9b9457fed30e78098e84f4357bef71c4e9cede0e7d77e2ecb4af893f4d0"),
    Module(name="aws-xml-protocol", sha256="feddc97ebc6e49026981222607bb51af5fe1e5568d0ea3dbf37557d3861f716a"),
    Module(name="checksums", sha256="9517655e95cac1b6b226fb51f710607dbbffd2b4baba693be224c94bc9720b2e"),
    Module(name="checksums-spi", sha256="6355a036df6879ee15e5f44b94b333d4491a81e6cf0f4dc1b51b5b4fda835ab1"),
    Module(name="crt-core", sha256="81b3e3474dea407daaf2016f0e36dfc1a22da6088c54430be8bc8586bd8a83d7"),
    Module(name="endpoints-spi", sha256="d8e14d8334481a53bd40c95e2523cbbde2b5bc16e677cae2551b0704995220d1"),
    Module(name="http-auth", sha256="e58f3fa3e3856623cc462fd4e809674c2d1e0a424da203445331f3f28c39435e"),
    Module(name="http-auth-aws", sha256="98f90553995b285d05b724d5f9ea9033c21e7e89fc9209e3d5112a01ade1c023"),
    Module(name="http-auth-spi", sha256="5651f7d4dec9cd621edd21e06b08c5595c667bec13c0112b0cbe8a99d06d09f8"),
    Module(name="http-client-spi", sha256="4d23ecc33c31aa47e27c3e70f42920a4bca35f4ffa0834d20096ecfa14de3fa7"),
    Module(name="identity-spi", sha256="51e795223dd7bd80d9f8113579e4fa9441823487ccce4bdf71f3c58e22a7b48c"),
    Module(name="json-utils", sha256="ed212326f47c68a865a6e0ae6ba01fdc4abddc5342b01745268d09d26905ab68"),
    Module(name="metrics-spi", sha256="ed4bd03d39c2f41b323f2aca26cae0ecb77f619ed56001ec7fda56e9d592a088"),
    Module(name="netty-nio-client", sha256="eff66f825a6a9785695e8fde5c313eb6e37227c7e5581375ca76b340f269d09d"),
    Module(name="profiles", sha256="fc7150bddf8fc0c0f8d6db9cf2c017ed00e8cdb0eef309abd5111999df939052"),
    Module(name="protocol-core", sha256="97bed5a8998f7664a33717ea2333945f627953267579b9fb14e3a5b4008d183b"),
    Module(name="regions", sha256="deb07e235e085e4085e942a0838f23cd8f011ceba43324ce1ffe3dae8d790891"),
    Module(name="s3", sha256="9f82904baba9351102ff818789400b6c58edcdf22e0a578fb955f2408eb20b34"),
    Module(
        name="s3-transfer-manager", sha256="fd53505cec2846526b36c675ca7aff490d56f9c3a7288179966abeb8bc97cc01", version="2.24.5"
    ),
    Module(name="sdk-core", sha256="65a8c844220973c232ce6c68f7ce91191d71004e15f648379837dd949e7819ec"),
    Module(name="sts", sha256="5c3c2154ad2ed0191fb2f5bc3d83c923cb7e27c0c86f83fcf7f750274e1d481e"),
    Module(name="third-party-jackson-core", sha256="5b07903f51d99cc467e7f1670edb3075e972d57b4204b1319886301d64a911a9"),
    Module(name="utils", sha256="68a2f457092ab68668069bcaa781f0f17b30ea02f83bd410180c804cce3702c2"),
    Module(
        name="eventstream",
        sha256="0c37d8e696117f02c302191b8110b0d0eb20fa412fce34c3a269ec73c16ce822",
        group="software.amazon.eventstream",
        version="1.0.1",
    ),
    Module(
        name="reactive-streams",
        sha256="f75ca597789b3dac58f61857b9ac2e1034a68fa672db35055a8fb4509e325f28",
        group="org.reactivestreams",
        version="1.0.4",
    ),
)
S3A_JARS = tuple(module.jar for module in S3A_MODULES)
S3A_MEGABYTES = 9

#: What Spark's resolver is asked for, where it fetches the jars itself.
S3A_PACKAGES = tuple(module.coordinates for module in S3A_MODULES)
#: What these would bring along: the bundle, and other versions of what Spark has.
S3A_EXCLUDED = (
    f"{SDK}:bundle",
    "io.netty:*",
    "org.apache.httpcomponents:*",
    "commons-codec:*",
    "commons-logging:*",
    "org.slf4j:*",
    "org.wildfly.openssl:*",
)
