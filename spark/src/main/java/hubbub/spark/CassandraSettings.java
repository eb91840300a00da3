package hubbub.spark;

import java.util.Map;
import org.apache.spark.SparkConf;

/** The connector's settings for an address of hubbub. */
final class CassandraSettings {
  /** hubbub's names of settings, and the connector's. */
  private static final Map<String, String> NAMES =
      Map.of(
          "user", "spark.cassandra.auth.username",
          "password", "spark.cassandra.auth.password",
          "local_dc", "spark.cassandra.connection.localDC",
          "tls", "spark.cassandra.connection.ssl.enabled",
          "ca", "spark.cassandra.connection.ssl.trustStore.path");

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
              } else if (key.startsWith("spark.cassandra.")) {
                conf.set(key, value);
              }
            });
    if (address.settings().containsKey("ca")) {
      conf.set("spark.cassandra.connection.ssl.trustStore.type", "PEM");
    }
    return conf;
  }
}
