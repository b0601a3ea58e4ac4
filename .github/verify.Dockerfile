# Where bundles of pull requests are verified: FarField with pinned versions, no data, no secrets, no root.
FROM python:3.11-slim-bookworm
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends bubblewrap util-linux \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home verifier
WORKDIR /farfield
COPY . .
RUN rm -rf handed-in \
 && python -m pip install --quiet --no-cache-dir --constraint constraints.txt '.[tables]'
ENV FARFIELD_CACHE=/tmp/cache HOME=/tmp OMP_NUM_THREADS=1
USER verifier
WORKDIR /tmp
ENTRYPOINT ["farfield"]
