"""Spark's own history server beside the runs of a site that keeps their event logs."""

from collections.abc import Mapping
from typing import Any

from swath.deploy.pods import labels
from swath.deploy.pods.template import pod_template
from swath.deploy.render.plain import Manifest
from swath.deploy.render.s3a import s3_scheme, s3a
from swath.deploy.site.identity import PROFILE_MOUNT, IdentityKind
from swath.deploy.site.site import Site
from swath.errors import ConfigError
from swath.spark.start.settings import FAST_START

NAME = "swath-history"
PORT = 18080
_CONF = "/etc/swath/history"
#: Where the image has Spark.
_SPARK_CLASS = "/opt/spark/bin/spark-class"
_CLASS = "org.apache.spark.deploy.history.HistoryServer"
#: A Deployment's selector cannot be changed, so it has the name alone.
_SELECTOR = {labels.NAME: NAME}


def history_server(site: Site) -> list[Manifest]:
    """ConfigMap, Deployment, Service and NetworkPolicy, in the site's namespace, with its image and its identity.

    Raises:
        ConfigError: The site keeps no event log, or nothing of its engine is a pod.
    """
    if not site.logging.event_log:
        raise ConfigError(f"site {site.site} keeps no event log: set logging.event_log to store://NAME/path")
    if site.kind.shares_folders:
        raise ConfigError(f"engine {site.engine} has no pods: start {_CLASS} by spark-class beside it")
    return [_config_map(site), _deployment(site), _service(site), _network(site)]


def history_conf(site: Site) -> Mapping[str, str]:
    """Settings of the server: what it reads, how it gets there, and what it keeps."""
    return {
        "spark.history.fs.logDirectory": site.resolve(site.logging.event_log).replace("s3://", "s3a://", 1),
        # a run is seen so long after it began, or went on
        "spark.history.fs.update.interval": "5s",
        "spark.history.fs.cleaner.enabled": "true",
        "spark.history.fs.cleaner.maxAge": "30d",
        "spark.history.ui.port": str(PORT),
        **s3_scheme(site),
        **s3a(site),
    }


def _metadata(site: Site) -> dict[str, Any]:
    return {"name": NAME, "namespace": site.cluster.namespace, "labels": _labels(site)}


def _labels(site: Site) -> dict[str, str]:
    return labels.fixed("history-server", name=NAME) | labels.of_instance(NAME, image=site.image)


def _config_map(site: Site) -> Manifest:
    text = "".join(f"{key} {value}\n" for key, value in sorted(history_conf(site).items()))
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(site), "data": {"history.conf": text}}


def _deployment(site: Site) -> Manifest:
    pod = pod_template(site, role="driver")["spec"]
    container = pod["containers"][0] | {
        "name": "history",
        "image": site.image,
        "args": [_SPARK_CLASS, _CLASS, "--properties-file", f"{_CONF}/history.conf"],
        "env": [{"name": name, "value": value} for name, value in _environment(site).items()],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/api/v1/version", "port": PORT}, "periodSeconds": 5},
        "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
    }
    container["volumeMounts"] = [*container["volumeMounts"], {"name": "history", "mountPath": _CONF, "readOnly": True}]
    pod["volumes"] = [*pod["volumes"], {"name": "history", "configMap": {"name": NAME}}]
    if site.identity and site.identity.kind is IdentityKind.SECRET:
        container["volumeMounts"].append({"name": "aws", "mountPath": PROFILE_MOUNT, "readOnly": True})
        pod["volumes"].append({"name": "aws", "secret": {"secretName": site.identity.secret}})
    # the server asks nothing of the API server
    spec = {**pod, "containers": [container], "automountServiceAccountToken": False}
    if site.identity:
        spec["serviceAccountName"] = site.identity.service_account
    template = {"metadata": {"labels": _labels(site)}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(site),
        "spec": {"replicas": 1, "selector": {"matchLabels": _SELECTOR}, "template": template},
    }


def _environment(site: Site) -> dict[str, str]:
    trust = site.trust
    options = (
        f"{FAST_START} -Djavax.net.ssl.trustStore={trust.truststore} -Djavax.net.ssl.trustStoreType=PKCS12"
        if trust
        else FAST_START
    )
    variables = {"SPARK_DAEMON_MEMORY": "768m", "SPARK_DAEMON_JAVA_OPTS": options, "SPARK_NO_DAEMONIZE": "1"}
    if site.identity and site.identity.kind is IdentityKind.SECRET:
        variables["AWS_SHARED_CREDENTIALS_FILE"] = f"{PROFILE_MOUNT}/credentials"
        variables["AWS_CONFIG_FILE"] = f"{PROFILE_MOUNT}/config"
    return variables


def _service(site: Site) -> Manifest:
    ports = [{"name": "http", "port": PORT, "targetPort": PORT}]
    spec = {"selector": _SELECTOR, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(site), "spec": spec}


def _network(site: Site) -> Manifest:
    """Out to names and stores, as drivers; in from the kubelet alone, which forwards ports."""
    spec = {
        "podSelector": {"matchLabels": _SELECTOR},
        "policyTypes": ["Ingress", "Egress"],
        "egress": [{"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}, {"ports": _store_ports(site)}],
    }
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": _metadata(site), "spec": spec}


def _store_ports(site: Site) -> list[dict[str, Any]]:
    """Ports of the site's stores: 443, or what their endpoints say."""
    ends = (store.endpoint.rpartition(":")[2] for store in site.stores.values() if store.endpoint)
    return [{"protocol": "TCP", "port": port} for port in sorted({443, *(int(end) for end in ends if end.isdecimal())})]
