package hubbub.spark;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Settings for Kafka's own clients. hubbub takes those of librdkafka; most have the same names in Java, and the others
 * that matter are translated here.
 */
final class KafkaSettings {
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
    of(address).forEach((key, value) -> options.put("kafka." + key, value));
    return options;
  }

  private static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }
}
