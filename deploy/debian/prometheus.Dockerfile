# Debian's Prometheus in the place of its official image: same command, same volume, and the wget that its health check uses.
FROM hubbub-debian:bookworm
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus wget && rm -rf /var/lib/apt/lists \
 && install -d -o nobody /prometheus
USER nobody
VOLUME /prometheus
ENTRYPOINT ["/usr/bin/prometheus"]
