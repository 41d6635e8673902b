"""One example of every command, which its help ends with. A test parses each as the command line would."""

from collections.abc import Mapping
from inspect import cleandoc
from typing import Final

EXAMPLES: Final[Mapping[str, str]] = {
    "demo": "swath demo --output demo",
    "run": "swath run ard --input scenes/ --output out",
    "composite": "swath composite median --input out --output out --period 2024-06/2024-08",
    "plan": "swath plan ard --input scenes/ --output out --list",
    "ingest": "swath ingest --input s3://scenes/incoming --output s3://products/ard",
    "train": "swath train --input scenes/ --polygons labels.geojson --recipe recipe.yaml --output out",
    "retry": "swath retry out --error read",
    "reproduce": "swath reproduce out/products/.../ITEM.json --into again",
    "reconcile": "swath reconcile out --fix",
    "maintain": "swath maintain out --dry-run",
    "hold": "swath hold out ard-landsat9 --reason 'case 17'",
    "drill": "swath drill out --copy /tmp/drill",
    "export": "swath export s3://products/ard --to s3://products/ard-delta",
    "report": "swath report out --open",
    "template": "swath template pipeline my-pipeline.yaml",
    "validate": "swath validate my-pipeline.yaml",
    "steps list": "swath steps list",
    "steps show": "swath steps show smac",
    "check seams": "swath check seams my-pipeline.yaml --input scenes/",
    "doctor": "swath doctor --site kubernetes",
    "catalog compare": "swath catalog compare out --fix",
    "catalog migrate": "swath catalog migrate --catalog postgresql://owner@db/swath",
    "catalog replay": "swath catalog replay out --all",
    "models adopt": "swath models adopt models:/field-cover/3 --manifest m.yaml",
    "models area": "swath models area out/products/.../ITEM.json -o csv",
    "models check": "swath models check landcover@production",
    "models deprecate": "swath models deprecate --list revoked/ --tables OUT",
    "models promotions": "swath models promotions landcover",
    "models export": "swath models export landcover@production --to s3://products/models",
    "models fetch csmask": "swath models fetch csmask --to models/csmask",
    "models fetch s2cloudless": "swath models fetch s2cloudless --to models/s2cloudless",
    "models import": "swath models import --bundle landcover.tar --key team.pub",
    "models list": "swath models list --output out -o csv",
    "models lock": "swath models lock ard --output out",
    "models promote": "swath models promote landcover 4 --alias production",
    "models register": "swath models register my-model/ --output out",
    "models revoke": "swath models revoke DIGEST --because 'wrong labels' --list revoked/",
    "models rollback": "swath models rollback landcover --because 'worse over water'",
    "models trace": "swath models trace landcover@production --tables out",
    "models verify": "swath models verify my-model/",
    "sites diff": "swath sites diff kubernetes eks-anywhere",
    "sites history-server": "swath sites history-server eks-anywhere",
    "sites list": "swath sites list -o wide",
    "sites migration": "swath sites migration kubernetes",
    "render": "swath render ard --site kubernetes",
    "submit": "swath submit ard --site kubernetes --wait --retries 1",
    "gate": "swath gate ard-nightly --site kubernetes --max-quarantined 0.05 --max-age 26h",
    "fleet": "swath fleet ard-nightly --sites kubernetes,eks-anywhere",
    "cancel": "swath cancel ard --site kubernetes",
    "logs": "swath logs ard --site kubernetes --tail 50",
    "images": "swath images --registry registry.example/swath --sign-key key.pem",
    "verify": "swath verify images.json --key team.pub",
    "bundle diff": "swath bundle diff bundle-1 bundle-2 --key team.pub",
    "bundle install": "swath bundle install bundle-1 --key team.pub --to /opt/swath",
    "bundle make": "swath bundle make --site eks-anywhere --out bundle-1 --sign-key key.pem",
    "bundle push": "swath bundle push bundle-1 --key team.pub --registry harbor.dc.example/swath",
    "bundle verify": "swath bundle verify bundle-1 --key team.pub",
    "sbom": "swath sbom --lock requirements.lock",
    "parity": "swath parity ard --site laptop --site kubernetes --output parity",
    "completion": "swath completion bash",
    "forward": "swath forward ard-nightly --site kubernetes",
}
#: The command whose example a group shows.
OF_GROUPS: Final[Mapping[str, str]] = {
    "bundle": "bundle make",
    "catalog": "catalog compare",
    "check": "check seams",
    "models": "models list",
    "sites": "sites list",
    "steps": "steps show",
}


def with_example(help_text: str | None, *, path: str) -> str | None:
    """The help of a command or group, with its example where it does not have one in its own words."""
    path = OF_GROUPS.get(path, path)
    if path not in EXAMPLES or "Example: swath" in (help_text or ""):
        return help_text
    return f"{cleandoc(help_text or '')}\n\nExample: {EXAMPLES[path]}"
