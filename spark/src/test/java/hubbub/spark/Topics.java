package hubbub.spark;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Topics for tests, with records as {@code hubbub ingest} writes them. */
final class Topics {
  private static final Pattern CHANNEL = Pattern.compile(" #([A-Za-z0-9_]+)");
  private static final Pattern TIME = Pattern.compile("(?:^@|;)tmi-sent-ts=([0-9]+)");
  private static final Pattern RECEIVED = Pattern.compile("(?:^@|;)rm-received-ts=([0-9]+)");

  private Topics() {}

  static void make(String kafka, String topic, int partitions) {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka))) {
      admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Sends the lines of a file, in their order; returns how many. */
  static long fill(String kafka, String topic, Path file) throws IOException {
    Properties settings = new Properties();
    settings.putAll(
        Map.of("bootstrap.servers", kafka, "acks", "all", "compression.type", "zstd", "linger.ms", "20", "batch.size", "262144"));
    long count = 0;
    try (KafkaProducer<byte[], byte[]> producer =
            new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
        Lines lines = new Lines(new BufferedInputStream(Files.newInputStream(file)))) {
      for (byte[] line; (line = lines.next()) != null; count++) {
        String text = new String(line, StandardCharsets.UTF_8);
        Matcher channel = CHANNEL.matcher(text);
        Matcher time = TIME.matcher(text);
        Matcher received = RECEIVED.matcher(text);
        if (!channel.find() || !(time.find() || received.find())) {
          throw new IllegalArgumentException("no fact: " + text);
        }
        long at = Long.parseLong(time.reset().find() ? time.group(1) : received.group(1));
        producer.send(
            new ProducerRecord<>(
                topic, null, at, channel.group(1).toLowerCase().getBytes(StandardCharsets.US_ASCII), line));
      }
    }
    return count;
  }

  /** KAFKA TOPIC PARTITIONS FILE */
  public static void main(String[] arguments) throws IOException {
    make(arguments[0], arguments[1], Integer.parseInt(arguments[2]));
    System.out.println(fill(arguments[0], arguments[1], Path.of(arguments[3])));
  }
}
