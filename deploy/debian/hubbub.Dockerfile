# hubbub's image from a program that was built already, on this machine's release of Debian: `deploy/check --hubbub PROGRAM`. All
# else is as in deploy/Dockerfile.
ARG BASE
FROM $BASE
COPY packages /tmp/packages
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends ca-certificates $(cat /tmp/packages) \
 && rm -rf /var/lib/apt/lists /tmp/packages \
 && groupadd --system --gid 10001 hubbub && useradd --system --uid 10001 --gid 10001 --home-dir /data hubbub \
 && install -d -o hubbub -g hubbub /data
COPY hubbub start health /tmp/
RUN install /tmp/hubbub /usr/bin/hubbub && install /tmp/start /usr/bin/hubbub-start && install /tmp/health /usr/bin/hubbub-health \
 && rm /tmp/hubbub /tmp/start /tmp/health
USER hubbub
WORKDIR /data
VOLUME /data
ENV HUBBUB_LISTEN=:8080 HUBBUB_METRICS=:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["hubbub-health"]
ENTRYPOINT ["hubbub-start"]
CMD ["run"]
