# Cassandra from its Maven artifacts in the place of its official image, with the settings of deploy/local, and cqlsh from PyPI.
FROM hubbub-debian:bookworm
RUN mkdir -p /usr/share/man/man1 && apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless python3-pip python3-venv \
 && rm -rf /var/lib/apt/lists && python3 -m venv /opt/cqlsh && /opt/cqlsh/bin/pip install -q cqlsh \
 && ln -s /opt/cqlsh/bin/cqlsh /usr/local/bin/ && useradd --uid 999 --create-home cassandra \
 && install -d -o cassandra /var/lib/cassandra
COPY jars/cassandra /opt/cassandra/lib
COPY jars/settings /opt/cassandra/conf
COPY cassandra-start /usr/local/bin/
USER cassandra
VOLUME /var/lib/cassandra
ENTRYPOINT ["cassandra-start"]
