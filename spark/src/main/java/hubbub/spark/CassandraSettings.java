package hubbub.spark;

import java.util.Map;
import java.util.Set;
import org.apache.spark.SparkConf;

/** The connector's settings for an address of hubbub. */
final class CassandraSettings {
  /** Names of settings as hubbub(1) lists them, and the connector's. */
  private static final Map<String, String> NAMES =
      Map.of(
          "username", "spark.cassandra.auth.username",
          "password", "spark.cassandra.auth.password",
          "datacenter", "spark.cassandra.connection.localDC",
          "tls", "spark.cassandra.connection.ssl.enabled",
          "ca", "spark.cassandra.connection.ssl.trustStore.path");

  /** The same, of settings in seconds; the connector's are in ms. */
  private static final Map<String, String> SECONDS =
      Map.of(
          "connect_timeout", "spark.cassandra.connection.timeoutMS",
          "request_timeout", "spark.cassandra.read.timeoutMS");

  /** Read elsewhere (Writes, CassandraStore), or without a meaning to the connector. */
  private static final Set<String> OTHERS = Set.of("consistency", "replication", "in_flight", "wait", "verify_host");

  private static final String DEFAULT_PORT = "9042";

  private CassandraSettings() {}

  static SparkConf of(Address address, SparkConf spark) {
    SparkConf conf = spark.clone();
    conf.set("spark.cassandra.connection.host", address.hosts());
    conf.set("spark.cassandra.connection.port", DEFAULT_PORT); // of hosts that name none
    conf.set("spark.cassandra.connection.keepAliveMS", "60000"); // a session outlives the pause between two tasks
    conf.set("spark.cassandra.connection.timeoutMS", "10000");
    conf.set("spark.cassandra.read.timeoutMS", "20000");
    address
        .settings()
        .forEach(
            (key, value) -> {
              if (NAMES.containsKey(key)) {
                conf.set(NAMES.get(key), value);
              } else if (SECONDS.containsKey(key)) {
                conf.set(SECONDS.get(key), value + "000");
              } else if (key.startsWith("spark.cassandra.")) {
                conf.set(key, value);
              } else if (!OTHERS.contains(key)) {
                throw new HubbubException(
                    "the Spark jobs do not know Cassandra's setting " + key + "; the connector's own begin with spark.cassandra.");
              }
            });
    if (address.settings().containsKey("ca")) {
      conf.set("spark.cassandra.connection.ssl.enabled", "true");
      conf.set("spark.cassandra.connection.ssl.trustStore.type", "PEM");
    }
    return conf;
  }
}
