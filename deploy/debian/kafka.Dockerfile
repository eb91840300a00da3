# Kafka from its Maven artifacts in the place of its official image: settings come as KAFKA_* in the environment.
FROM hubbub-debian:bookworm
RUN mkdir -p /usr/share/man/man1 && apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless \
 && rm -rf /var/lib/apt/lists \
 && useradd --uid 1000 kafka && install -d -o kafka /var/lib/kafka/data
COPY jars/kafka /opt/kafka/libs
COPY kafka-start /usr/local/bin/
USER kafka
VOLUME /var/lib/kafka/data
ENTRYPOINT ["kafka-start"]
