package hubbub.spark;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A topic. One task reads all of a partition that is meant, since a channel's facts, and so one id, never are in two. A
 * record's timestamp is its fact's event time: it tells the hour before the line is read.
 */
final class KafkaHoursLog implements HoursLog {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Address address;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final List<TopicPartition> partitions = new ArrayList<>();

  KafkaHoursLog(Address address) {
    this.address = address;
    Properties properties = new Properties();
    properties.putAll(KafkaSettings.of(address));
    consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    try {
      List<PartitionInfo> found = consumer.partitionsFor(address.place(), PATIENCE);
      if (found == null || found.isEmpty()) {
        throw new HubbubException("there is no topic at " + address);
      }
      found.forEach(each -> partitions.add(new TopicPartition(each.topic(), each.partition())));
    } catch (KafkaException e) {
      consumer.close(Duration.ZERO);
      throw new HubbubException("cannot read from " + address + ": " + e.getMessage(), e);
    }
  }

  @Override
  public Hours due(Hours hours, List<Progress> speed, List<Progress> batch) {
    if (speed.isEmpty()) {
      return hours;
    }
    Map<Long, Long> settled = new HashMap<>();
    for (Progress part : batch) {
      if (part.done()) {
        settled.put(part.part(), part.position());
      }
    }
    Set<Long> due = new HashSet<>();
    for (Progress part : speed) {
      if (!part.done() || settled.getOrDefault(part.part(), -1L) != part.position()) {
        due.add(part.hour());
      }
    }
    return hours.only(due);
  }

  @Override
  public JavaRDD<Counted> count(SparkSession spark, Hours hours, List<Progress> speed) {
    Map<TopicPartition, Long> from = begins(hours, speed);
    Map<TopicPartition, Long> to = ends(hours, speed);
    for (TopicPartition partition : partitions) {
      from.merge(partition, to.get(partition), Math::min);
      to.merge(partition, from.get(partition), Math::max);
    }
    Dataset<Row> records =
        spark
            .read()
            .format("kafka")
            .options(KafkaSettings.options(address))
            .option("assign", "{\"" + address.place() + "\":" + partitions.stream().map(TopicPartition::partition).toList() + "}")
            .option("startingOffsets", offsets(from))
            .option("endingOffsets", offsets(to))
            .load()
            .select("partition", "offset", "timestamp", "value");
    return records.javaRDD().mapPartitions(rows -> count(rows, hours));
  }

  /** The offsets from which on there may be facts of these hours. */
  private Map<TopicPartition, Long> begins(Hours hours, List<Progress> speed) {
    Map<TopicPartition, Long> begins = new HashMap<>(consumer.beginningOffsets(partitions, PATIENCE));
    Map<TopicPartition, Long> known = new HashMap<>();
    if (hours.only() != null) {
      for (Progress part : speed) {
        if (hours.contain(part.hour())) {
          known.merge(new TopicPartition(address.place(), part.partition()), part.start(), Math::min);
        }
      }
    } else if (hours.from() > 0) {
      Map<TopicPartition, Long> times = new HashMap<>();
      partitions.forEach(partition -> times.put(partition, hours.from() * 1000));
      for (Map.Entry<TopicPartition, OffsetAndTimestamp> each :
          consumer.offsetsForTimes(times, PATIENCE).entrySet()) {
        known.put(each.getKey(), each.getValue() == null ? Long.MAX_VALUE : each.getValue().offset());
      }
    } else {
      return begins;
    }
    for (TopicPartition partition : partitions) { // retention may have removed what the store knows of
      begins.merge(partition, known.getOrDefault(partition, Long.MAX_VALUE), Math::max);
    }
    return begins;
  }

  /**
   * The offsets up to which there may be facts of these hours. Where the speed layer has gone past the hours, it has
   * noted where their last facts are, late ones included; else it is the end that the partition has now.
   */
  private Map<TopicPartition, Long> ends(Hours hours, List<Progress> speed) {
    Map<TopicPartition, Long> ends = new HashMap<>(consumer.endOffsets(partitions, PATIENCE));
    for (TopicPartition partition : partitions) {
      long last = 0;
      boolean past = false;
      boolean open = false;
      for (Progress part : speed) {
        if (part.partition() == partition.partition()) {
          past |= part.hour() >= hours.to();
          open |= hours.contain(part.hour()) && !part.done();
          last = hours.contain(part.hour()) ? Math.max(last, part.position()) : last;
        }
      }
      if (past && !open) {
        ends.merge(partition, last, Math::min);
      }
    }
    return ends;
  }

  /** {"topic":{"0":12,"1":7}} */
  private String offsets(Map<TopicPartition, Long> offsets) {
    List<String> each = new ArrayList<>();
    offsets.forEach((partition, offset) -> each.add("\"" + partition.partition() + "\":" + offset));
    return "{\"" + address.place() + "\":{" + String.join(",", each) + "}}";
  }

  private static Iterator<Counted> count(Iterator<Row> rows, Hours hours) {
    if (!rows.hasNext()) {
      return List.<Counted>of().iterator();
    }
    Fold fold = new Fold();
    Map<Long, Long> starts = new TreeMap<>(); // by hour: the offset of its first fact
    int partition = 0;
    long position = 0;
    while (rows.hasNext()) {
      Row row = rows.next();
      partition = row.getInt(0);
      position = row.getLong(1) + 1;
      long hour = Math.floorDiv(row.getTimestamp(2).getTime(), 1000 * Progress.HOUR) * Progress.HOUR;
      if (!row.isNullAt(3) && hours.contain(hour)) {
        starts.putIfAbsent(hour, position - 1);
        fold.add(row.getAs(3));
      }
    }
    List<Progress> parts = new ArrayList<>();
    for (Map.Entry<Long, Long> start : starts.entrySet()) {
      parts.add(new Progress(start.getKey() + partition, start.getValue(), position, true, 0));
    }
    return new CountedSheets(fold, hours::contain, partition, parts);
  }

  /**
   * Where the speed layer has noted the end of the hour's facts in the partition, that is the position: so the two are
   * equal as long as nothing comes late.
   */
  @Override
  public Progress settled(Progress read, List<Progress> speed) {
    for (Progress part : speed) {
      if (part.part() == read.part()) {
        return new Progress(
            read.part(), part.start(), part.done() ? part.position() : read.position(), true, part.late());
      }
    }
    return read;
  }

  @Override
  public void close() {
    consumer.close(Duration.ofSeconds(1));
  }
}
