#!/bin/sh
# What an executor with GPUs is asked by Spark: which ones it has, as {"name": "gpu", "addresses": ["0", "1"]}.
set -eu

addresses=$(nvidia-smi --query-gpu=index --format=csv,noheader | tr -d ' ' | sed 's/.*/"&"/' | paste -s -d , -)
[ -n "$addresses" ] || { echo "nvidia-smi names no GPU" >&2; exit 1; }
printf '{"name": "gpu", "addresses": [%s]}\n' "$addresses"
