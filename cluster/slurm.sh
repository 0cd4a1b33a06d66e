#!/usr/bin/env bash
#SBATCH --job-name=multinerd
#SBATCH --array=1-3
#SBATCH --gpus=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --output=slurm-%A_%a.txt
# One seed an array element. In a clone of this project on a file system that all nodes see, after `make setup`:
#   sbatch cluster/slurm.sh                                     seeds 1 to 3, experiments seed-1 to seed-3
#   sbatch --array=1-5 cluster/slurm.sh full profile=full       experiments full-1 to full-5
set -euo pipefail

cd "${SLURM_SUBMIT_DIR:-.}"
: "${SLURM_ARRAY_TASK_ID:?is the seed, and set by: sbatch --array=1-3 cluster/slurm.sh}"
make worker SEED="$SLURM_ARRAY_TASK_ID" NAME="${1:-seed}" SET="${*:2}"
