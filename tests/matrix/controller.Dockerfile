# What a controller needs of its distribution; ansible-core comes from the package index into a virtual environment.
ARG BASE
FROM ${BASE}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes openssh-client python3-venv \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
