#!/usr/bin/env bash
# Runs in the new conda environment, in the folder that Snakemake was started in.
set -euo pipefail
if [ ! -f constraints.txt ]; then
    echo "start Snakemake in the repository's folder to make its conda environment" >&2
    exit 1
fi
python -m pip install -c constraints.txt -e .
