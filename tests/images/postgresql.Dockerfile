# A Debian image with the distribution's PostgreSQL server, as an application's server has it:
# installed and with its default cluster, configured by nobody.
ARG BASE
FROM ${BASE}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes postgresql python3-apt \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
