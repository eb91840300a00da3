package hubbub.spark;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** What a topic's partitions are, and where they begin and end. */
final class KafkaTopic implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Address address;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final List<TopicPartition> partitions = new ArrayList<>();

  KafkaTopic(Address address) {
    this.address = address;
    Properties properties = new Properties();
    properties.putAll(KafkaSettings.of(address));
    consumer = ask(() -> new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer()));
    List<PartitionInfo> found = ask(() -> consumer.partitionsFor(address.place(), PATIENCE));
    if (found == null || found.isEmpty()) {
      throw new HubbubException("there is no topic at " + address);
    }
    found.forEach(each -> partitions.add(new TopicPartition(each.topic(), each.partition())));
  }

  private <T> T ask(Supplier<T> question) {
    try {
      return question.get();
    } catch (KafkaException e) {
      if (consumer != null) {
        close();
      }
      throw new HubbubException("cannot read from " + address + ": " + e.getMessage(), e);
    }
  }

  /** The first offset that there still is, by partition. */
  Map<Integer, Long> begins() {
    return ask(() -> byPartition(consumer.beginningOffsets(partitions, PATIENCE), Function.identity()));
  }

  /** The offset behind the last record, by partition. */
  Map<Integer, Long> ends() {
    return ask(() -> byPartition(consumer.endOffsets(partitions, PATIENCE), Function.identity()));
  }

  /** The first offset with a record of a time or later; the greatest number there is where none is so late. */
  Map<Integer, Long> since(long timeMs) {
    Map<TopicPartition, Long> times = new HashMap<>();
    partitions.forEach(partition -> times.put(partition, timeMs));
    return ask(
        () ->
            byPartition(
                consumer.offsetsForTimes(times, PATIENCE),
                (OffsetAndTimestamp found) -> found == null ? Long.MAX_VALUE : found.offset()));
  }

  private static <T> Map<Integer, Long> byPartition(Map<TopicPartition, T> found, Function<T, Long> offset) {
    Map<Integer, Long> offsets = new TreeMap<>();
    found.forEach((partition, value) -> offsets.put(partition.partition(), offset.apply(value)));
    return offsets;
  }

  /** Offsets as Spark takes them: {"topic":{"0":12,"1":7}} */
  static String offsets(String topic, Map<Integer, Long> offsets) {
    List<String> each = new ArrayList<>();
    offsets.forEach((partition, offset) -> each.add("\"" + partition + "\":" + offset));
    return "{\"" + topic + "\":{" + String.join(",", each) + "}}";
  }

  @Override
  public void close() {
    consumer.close(Duration.ofSeconds(1));
  }
}
