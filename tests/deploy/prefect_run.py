"""Runs inside Prefect's own environment: the flow once for each site that is named, with a server that Prefect starts.

python prefect_run.py RENDERED CONF SWATH SITE...

Prints one JSON object a flow: state, message, and what the gate said.
"""

import json
import sys

from swath_prefect import swath_flow  # type: ignore[import-not-found]  # of the other environment

rendered, conf, swath, *sites = sys.argv[1:]
for site in sites:
    state = swath_flow(rendered, site, conf, swath, return_state=True)
    said = state.result() if state.is_completed() else None
    sys.stdout.write(json.dumps({"state": state.name, "message": state.message or "", "gate": said}) + "\n")
