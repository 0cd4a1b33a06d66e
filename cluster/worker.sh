#!/usr/bin/env bash
# One experiment, NAME-SEED, in a clone of its own; `make worker` calls it with NAME SEED [KEY=VALUE ...].
#
# Its data goes to the DVC remote first and its name to git last: a name at origin stands for a whole result. A worker
# that was stopped is started again by the same command: training goes on from its newest whole checkpoint, a run that
# is finished is pushed, and one that is at origin is left alone.
set -euo pipefail

name=$1-$2
settings=(-S "seed=$2")
for setting in "${@:3}"; do settings+=(-S "$setting"); done

commit=$(git rev-parse HEAD)
clone=workers/$name-${commit:0:9}
if [ ! -d "$clone" ]; then
  rm -rf "$clone.part"
  git clone --quiet --no-checkout "$(git remote get-url origin)" "$clone.part"
  git -C "$clone.part" checkout --quiet --detach "$commit" \
    || { echo "error: commit $commit is not at origin: \`git push\` first, every worker clones from there" >&2; exit 1; }
  mv "$clone.part" "$clone"
fi
cd "$clone"

dvc remote list | grep -q . || { echo "error: no DVC remote: \`make remote URL=s3://bucket/folder\`, then commit .dvc/config" >&2; exit 1; }
at_origin=$(dvc exp list --name-only origin)
if grep -qx -- "$name" <<< "$at_origin"; then
  echo "$name is at origin; get it by: dvc exp pull origin $name"
  exit
fi
here=$(dvc exp list --name-only)
# --pull takes from the remote what another worker has run already; it also stops here where the remote cannot be read.
grep -qx -- "$name" <<< "$here" || dvc exp run --pull --name "$name" "${settings[@]}"
dvc push --run-cache
dvc exp push origin "$name"
