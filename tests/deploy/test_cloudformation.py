import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from swath.deploy.site.files import load_site

TEMPLATE = Path(__file__).resolve().parents[2] / "emr-on-eks" / "cloudformation.yaml"


class _Tags(yaml.SafeLoader):
    """CloudFormation's short forms, kept as mappings."""


def _tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    value = loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else loader.construct_sequence(node)  # type: ignore[arg-type]
    return {suffix: value}


_Tags.add_multi_constructor("!", _tag)


def _template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=_Tags)  # noqa: S506 - a SafeLoader
    return loaded


def _statements() -> Iterator[dict[str, Any]]:
    for resource in _template()["Resources"].values():
        properties = resource.get("Properties", {})
        for policy in [properties, *properties.get("Policies", [])]:
            yield from policy.get("PolicyDocument", {}).get("Statement", [])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_cfn_lint_finds_nothing() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cfn-lint")), str(TEMPLATE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_no_statement_allows_every_action_or_every_resource() -> None:
    statements = list(_statements())
    assert len(statements) >= 10
    for statement in statements:
        assert not [a for a in _listed(statement["Action"]) if "*" in a], statement["Sid"]
        for resource in _listed(statement["Resource"]):
            text = next(iter(resource.values())) if isinstance(resource, dict) else resource
            assert text != "*", statement["Sid"]


def test_data_is_reached_by_bucket_and_prefix_only() -> None:
    for statement in _statements():
        for resource in _listed(statement["Resource"]):
            text = next(iter(resource.values())) if isinstance(resource, dict) else resource
            if ":s3:::" in str(text) and "s3:ListBucket" not in _listed(statement["Action"]):
                assert "Prefix}/" in text, statement["Sid"]
            if "s3:ListBucket" in _listed(statement["Action"]):
                assert "s3:prefix" in str(statement["Condition"]), statement["Sid"]


def test_whoever_reads_results_may_see_which_are_there() -> None:
    """Without ListBucket S3 answers 403 to a GetObject of a key that is not there."""
    policy = _template()["Resources"]["LauncherPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (lists,) = [s for s in policy if s["Action"] == "s3:ListBucket"]
    (reads,) = [s for s in policy if s["Action"] == "s3:GetObject"]
    bucket, _, keys = reads["Resource"]["Sub"].partition("/")
    assert lists["Resource"]["Sub"] == bucket
    assert lists["Condition"]["StringLike"]["s3:prefix"]["Sub"] == keys


def test_a_key_of_ones_own_reaches_all_that_is_written_and_whoever_reads() -> None:
    template = _template()
    key, resources = {"Ref": "KmsKeyArn"}, template["Resources"]
    assert template["Parameters"]["KmsKeyArn"]["Default"] == ""
    grants = {
        name: (resources[name]["Condition"], _listed(resources[name]["Properties"]["PolicyDocument"]["Statement"][0]["Action"]))
        for name in ("ExecutionKeyPolicy", "LauncherKeyPolicy")
    }
    assert grants == {
        "ExecutionKeyPolicy": ("HasKey", ["kms:Decrypt", "kms:GenerateDataKey"]),
        "LauncherKeyPolicy": ("HasKey", ["kms:Decrypt"]),
    }
    assert resources["ExecutionKeyPolicy"]["Properties"]["RoleName"] == {"Ref": "ExecutionRole"}
    assert resources["LogGroup"]["Properties"]["KmsKeyId"] == {"If": ["HasKey", key, {"Ref": "AWS::NoValue"}]}
    encryption = resources["Repository"]["Properties"]["EncryptionConfiguration"]["If"]
    assert encryption[1] == {"EncryptionType": "KMS", "KmsKey": key}
    used = [s["Resource"] for s in _statements() if any(a.startswith("kms:") for a in _listed(s["Action"]))]
    assert used == [key, key]


def test_the_names_are_those_of_the_site_file() -> None:
    site, parameters = load_site("aws-region"), _template()["Parameters"]
    assert site.cluster.execution_role_arn.endswith(f":role/{parameters['ExecutionRoleName']['Default']}")
    assert site.logging.cloudwatch_group == parameters["LogGroupName"]["Default"]
    assert site.cluster.namespace == parameters["Namespace"]["Default"]


def test_a_run_may_be_started_with_the_tenants_role_only() -> None:
    (start,) = [s for s in _statements() if "emr-containers:StartJobRun" in _listed(s["Action"])]
    assert "emr-containers:ExecutionRoleArn" in start["Condition"]["ArnEquals"]
