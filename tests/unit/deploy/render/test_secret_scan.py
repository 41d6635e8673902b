import pytest

from swath.deploy.render.secret_scan import suspicious_arguments, suspicious_settings, what_is_secret


@pytest.mark.parametrize(
    "value",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "postgresql://swath:hunter2@db/swath",
        "host=db password=hunter2",
        "https://b.s3.amazonaws.com/k?X-Amz-Credential=x&X-Amz-Signature=abc",
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
)
def test_secrets_are_seen(value: str) -> None:
    assert what_is_secret(value) is not None
    assert list(suspicious_arguments(["ard", value]))


@pytest.mark.parametrize(
    "value", ["s3://bucket/password-reset/x", "postgresql://db/swath", "https://s3.example:9000", "sha256:" + "a" * 64]
)
def test_ordinary_values_pass(value: str) -> None:
    assert what_is_secret(value) is None


def test_a_key_for_a_secret_is_seen_whatever_its_value() -> None:
    assert list(suspicious_settings({"spark.hadoop.fs.s3a.secret.key": "x1"})) == [
        ("spark.hadoop.fs.s3a.secret.key", "a value under a key for secrets")
    ]


def test_a_pointer_to_a_secret_is_fine() -> None:
    conf = {
        "spark.kubernetes.driver.secretKeyRef.SWATH_POSTGRESQL_DSN": "swath-postgresql:dsn",
        "spark.kubernetes.driver.secrets.swath-s3": "/etc/swath/aws",
        "spark.hadoop.fs.s3a.bucket.b.aws.credentials.provider": "software.amazon.awssdk.auth.ProfileProvider",
    }
    assert list(suspicious_settings(conf)) == []
