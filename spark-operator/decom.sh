#!/bin/sh
# What Spark gives each executor's container as its preStop hook when spark.decommission.enabled is true: asks the executor
# to end the tasks that it has and to take no more (SIGPWR), and waits until it is gone. Without it SIGTERM follows at once
# and the scenes in flight begin anew elsewhere. The pod's grace period bounds the wait.
# The processes are looked for in /proc: the image has no ps. SWATH_PROC is for tests.
set -eu

proc=${SWATH_PROC:-/proc}
for entry in "$proc"/[0-9]*; do
    words=$(tr '\0' '\n' <"$entry/cmdline" 2>/dev/null) || continue
    program=$(printf '%s\n' "$words" | head -n 1)
    # tini has the executor's words in its own command line
    case "$program" in */java | java) ;; *) continue ;; esac
    case "$words" in *ExecutorBackend*) ;; *) continue ;; esac
    executor=${entry##*/}
    kill -s PWR "$executor"
    while [ -d "/proc/$executor" ]; do sleep 0.2; done
done
