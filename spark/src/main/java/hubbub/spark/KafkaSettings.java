package hubbub.spark;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Settings for Kafka's own clients. hubbub takes those of librdkafka; most have the same names in Java, and the others
 * that matter are translated here.
 */
final class KafkaSettings {
  // After each handful of records that a consumer hands over, Spark asks for the partition's ends and reads on with a seek,
  // which throws away what was fetched ahead. And at the end of a partition that question waits behind a fetch for more:
  // by default half a second.
  private static final Map<String, String> READING =
      Map.of(
          "max.poll.records", "50000",
          "max.partition.fetch.bytes", Integer.toString(16 << 20),
          "fetch.max.wait.ms", "10");

  private KafkaSettings() {}

  static Map<String, String> of(Address address) {
    Map<String, String> settings = new LinkedHashMap<>(address.settings());
    settings.remove("partitions"); // hubbub's own: of a topic that it makes
    settings.put("bootstrap.servers", address.hosts());
    String mechanism = settings.remove("sasl.mechanisms");
    if (mechanism != null) {
      settings.put("sasl.mechanism", mechanism);
    }
    String user = settings.remove("sasl.username");
    String password = settings.remove("sasl.password");
    if (user != null && password != null) {
      String module =
          settings.getOrDefault("sasl.mechanism", "PLAIN").startsWith("SCRAM")
              ? "org.apache.kafka.common.security.scram.ScramLoginModule"
              : "org.apache.kafka.common.security.plain.PlainLoginModule";
      settings.put(
          "sasl.jaas.config",
          module + " required username=" + quoted(user) + " password=" + quoted(password) + ";");
    }
    String authority = settings.remove("ssl.ca.location");
    if (authority != null) {
      settings.put("ssl.truststore.type", "PEM");
      settings.put("ssl.truststore.location", authority);
    }
    return settings;
  }

  /** As options of Spark's source for Kafka. */
  static Map<String, String> options(Address address) {
    Map<String, String> options = new LinkedHashMap<>();
    READING.forEach((key, value) -> options.put("kafka." + key, value));
    of(address).forEach((key, value) -> options.put("kafka." + key, value));
    return options;
  }

  private static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }
}
