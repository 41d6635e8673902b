#!/bin/sh
# Runs a command in a network of its own: loopback, and one way out that leads nowhere. Prints "sent N" last: the
# packets that tried to leave, name look-ups included. Start it with: unshare -rn sh closed_network.sh COMMAND...
set -eu
ip link set lo up
sysctl -q -w net.ipv6.conf.all.disable_ipv6=1
ip link add out0 type veth peer name out1
ip link set out1 up
ip addr add 10.9.9.1/24 dev out0
ip link set out0 up
ip route add default dev out0
code=0
"$@" || code=$?
awk '$1 == "out0:" {print "sent", $11}' /proc/self/net/dev
exit "$code"
