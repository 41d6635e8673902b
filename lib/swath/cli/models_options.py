"""Options and lines that the commands of ``swath models`` share."""

from pathlib import Path

import click

from swath.inference.listing import RegisteredModel
from swath.inference.signature import SIGN_KEY

OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path), default=Path(), show_default="this folder",
    help="Output whose models/ holds the registry when MLFLOW_TRACKING_URI names none.",
)  # fmt: skip
SITE = click.option("--site", default="laptop", show_default=True, envvar="SWATH_SITE", help="Site whose stores are named.")
SIGN_KEY_OPTION = click.option(
    "--sign-key", type=click.Path(path_type=Path, dir_okay=False), envvar=SIGN_KEY, show_envvar=True,
    help="Private key (PEM, elliptic curve) that signs the model, or pkcs11:... of one in a token; the PEM's password is in "
    "SWATH_MODEL_SIGN_KEY_PASSWORD.",
)  # fmt: skip
SAMPLES = click.option(
    "--samples", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Frozen samples to be judged on; those of its own training by default.",
)  # fmt: skip
FORCE = click.option(
    "--force", "forced", default="", metavar="REASON", help="Give the alias even if the comparison fails; the reason is recorded."
)


def reach(site: str) -> None:
    """Make the stores of a site known, and how they are asked."""
    if site != "laptop":
        from swath.deploy.operate.reach import reach_site  # noqa: PLC0415  a laptop's folders need no site

        reach_site(site)


def tell(model: RegisteredModel) -> None:
    """Say which version a command made or moved."""
    aliases = f" ({', '.join(model.aliases)})" if model.aliases else ""
    click.echo(f"{model.name} {model.version}{aliases}: sha256 {model.digest}")
