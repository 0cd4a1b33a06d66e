# The environment of `make setup` and this project in it. Both have one base: PyTorch's wheels bring CUDA with them.
#   make image                  or: docker build --tag multinerd:cpu .
#   make image TORCH=cu130      or: docker build --tag multinerd:cu130 --build-arg TORCH=cu130 .
#   docker run --name first multinerd:cpu && docker cp first:/home/ner/project/reports .
#   docker run --gpus all --shm-size 1g multinerd:cu130 dvc exp run -S profile=full
FROM python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d AS base
# Debian removes a version when it has a newer one: pinned, they could not be installed for long.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git make \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 --shell /bin/bash ner \
 && install -d -o ner -g ner /home/ner/project /home/ner/.cache
USER 1000
WORKDIR /home/ner/project

FROM base AS project
# cpu, or what PyTorch calls a CUDA version: its index has a wheel 2.13.0+cpu or 2.13.0+cu130, which pip prefers to 2.13.0.
ARG TORCH=cpu
# What rarely changes comes first: a change in the code installs nothing again, one in the requirements downloads little.
COPY --chown=ner:ner Makefile requirements.txt requirements-dev.txt ./
RUN --mount=type=cache,target=/home/ner/.cache/pip,uid=1000,gid=1000 \
    PIP_EXTRA_INDEX_URL="https://download.pytorch.org/whl/$TORCH" make setup
ENV PATH=/home/ner/project/.venv/bin:$PATH
COPY --chown=ner:ner . .
CMD ["make", "repro"]
