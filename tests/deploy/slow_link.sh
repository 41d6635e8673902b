#!/bin/sh
# Runs a command in a network of its own whose loopback is a slow link, as tc(8) is told: unshare -rn sh slow_link.sh "tbf rate 10mbit ..." COMMAND...
# Prints "sent N" last: the bytes that crossed the link. Ends with 77 where this kernel has no such queueing discipline.
set -eu
how=$1
shift
ip link set lo mtu 1500
ip link set lo up
# shellcheck disable=SC2086  words of tc
tc qdisc add dev lo root $how || exit 77
code=0
"$@" || code=$?
awk '$1 == "lo:" {print "sent", $10}' /proc/self/net/dev
exit "$code"
