#!/bin/sh
# Stand-ins for the two public images that the Dockerfile starts from, made of Debian's packages: for a site, or a test,
# that reaches a mirror of packages but no registry. They know the authorities that this machine knows.
# Usage, as root, with debootstrap: base-images.sh [podman|docker] [SUITE] [MIRROR]
# Makes localhost/swath-python:3.11 and localhost/swath-maven:3.
set -eu

engine=${1:-podman}
suite=${2:-bookworm}
mirror=${3:-http://deb.debian.org/debian}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

debootstrap --variant=minbase --include=ca-certificates "$suite" "$folder/root" "$mirror" > "$folder/debootstrap.log" ||
    { tail -5 "$folder/debootstrap.log" >&2; exit 1; }
rm -rf "$folder"/root/var/cache/apt/archives/*.deb "$folder"/root/var/cache/apt/*.bin
tar -C "$folder/root" -c . | "$engine" import - localhost/swath-debian:latest
mkdir -p "$folder/context/java"
cp /etc/ssl/certs/ca-certificates.crt "$folder/context/"
[ ! -e /etc/ssl/certs/java/cacerts ] || cp /etc/ssl/certs/java/cacerts "$folder/context/java/"

# The authorities come last: installing a package writes them anew.
cat > "$folder/context/Dockerfile" <<'END'
FROM localhost/swath-debian:latest
ARG PACKAGES
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $PACKAGES \
 && rm -rf /var/lib/apt/lists/*
COPY ca-certificates.crt /etc/ssl/certs/
COPY java /etc/ssl/certs/java
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt
END
"$engine" build -q --network host --build-arg PACKAGES="python3.11 python3.11-venv" -t localhost/swath-python:3.11 "$folder/context"
"$engine" build -q --network host --build-arg PACKAGES="maven openjdk-17-jre-headless" -t localhost/swath-maven:3 "$folder/context"
