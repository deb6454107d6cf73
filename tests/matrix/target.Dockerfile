# A server that is reached as real ones are: over SSH, as an account that may become root.
ARG BASE
FROM ${BASE}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes openssh-server \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb \
 && useradd --create-home --shell /bin/bash deploy \
 && install --directory --mode 0700 --owner deploy /home/deploy/.ssh \
 && echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deploy
