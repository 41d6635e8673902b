"""Let this process reach a site's stores and ledger, as the pods of a rendered job do by their environment."""

import os
from collections.abc import MutableMapping

from swath.deploy.render.environment import ledger_variables, search_variables, store_variables
from swath.deploy.site.files import load_site
from swath.settings import LINK, STORES

#: Has folders alone.
_LAPTOP = "laptop"


def reach_site(site_name: str, environ: MutableMapping[str, str] = os.environ) -> None:
    """Put endpoints, regions and payers of a site's buckets, its kind of ledger and lock, and its hosts, into the environment.

    Variables that are set already stay. A Delta ledger begun on a store that cannot carry one would lose commits.

    Args:
        site_name: Name or file of a site.
        environ: Environment of this process and its children.

    Raises:
        ConfigError: There is no such site, or something in it is wrong.
    """
    if site_name == _LAPTOP or LINK in environ:
        return
    site = load_site(site_name)
    for name, value in (ledger_variables(site) | search_variables(site)).items():
        environ.setdefault(name, value)
    if STORES in environ:
        return
    stores = {s.bucket: s for s in site.stores.values() if s.is_s3}
    for name, value in store_variables(tuple(stores[b] for b in sorted(stores))).items():
        environ.setdefault(name, value)
