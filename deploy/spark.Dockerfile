# Spark's jars from Maven, hubbub and its Spark jobs: for master, workers and the programs that submit jobs alike, so that what a
# worker loads is what was built for it. (Spark's own image of 3.5 has Scala 2.12; the connector to Cassandra is used with 2.13.)
#
#   docker build -f deploy/spark.Dockerfile -t hubbub-spark .
#
# The base must have Java 17, which Spark 3.5 wants.
ARG BASE=debian:12-slim

FROM $BASE AS build
RUN mkdir -p /usr/share/man/man1 && apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends openjdk-17-jdk-headless maven
COPY tools/prepare /source/tools/prepare
RUN /source/tools/prepare build
COPY deploy/local /source/deploy/local
RUN mvn -q -B -f /source/deploy/local -pl spark dependency:copy-dependencies -DoutputDirectory=/out/opt/spark/jars
COPY . /source
RUN meson setup /build /source --prefix=/usr --buildtype=release -Dtests=false -Dparquet=disabled -Dcql=disabled -Dspark=enabled \
 && DESTDIR=/out meson install -C /build \
 && install /source/deploy/image/start /out/usr/bin/hubbub-start && install /source/deploy/image/spark /out/usr/bin/hubbub-spark
RUN ldd /out/usr/bin/hubbub /build/spark/libhubbub_jni.so | sed -n 's/.*=> \([^ ]*\).*/\1/p' | sort -u | while read -r file; do \
      dpkg-query -S "*/$(basename "$(realpath "$file")")" | cut -d: -f1; done | sort -u > /out/packages

FROM $BASE
COPY --from=build /out/packages /tmp/packages
RUN mkdir -p /usr/share/man/man1 && apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless ca-certificates $(cat /tmp/packages) \
 && rm -rf /var/lib/apt/lists /var/cache/apt /tmp/packages \
 && groupadd --system --gid 10001 hubbub && useradd --system --uid 10001 --gid 10001 --home-dir /data hubbub \
 && install -d -o hubbub -g hubbub /data
COPY --from=build /out/opt/ /opt/
COPY --from=build /out/usr/ /usr/
USER hubbub
WORKDIR /data
VOLUME /data
# Java unpacks libhubbub and other native libraries there before it loads them; Docker's tmpfs for /tmp runs no programs.
ENV SPARK_HOME=/opt/spark SPARK_SCALA_VERSION=2.13 JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=/run/spark
STOPSIGNAL SIGTERM
ENTRYPOINT ["hubbub-spark"]
