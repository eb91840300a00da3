package hubbub.spark;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A topic. One task reads all of a partition that is meant, since a channel's facts, and so one id, never are in two. A
 * record's timestamp is its fact's event time: it tells the hour before the line is read.
 */
final class KafkaHoursLog implements HoursLog {
  private final Address address;
  private final KafkaTopic topic;

  KafkaHoursLog(Address address) {
    this.address = address;
    this.topic = new KafkaTopic(address);
  }

  /** As hubbub batch has it: what the speed layer has counted since, or has left out as late. */
  @Override
  public Hours due(Hours hours, List<Progress> speed, List<Progress> batch) {
    if (speed.isEmpty()) {
      return hours;
    }
    Map<Long, Progress> settled = new HashMap<>();
    batch.forEach(part -> settled.put(part.part(), part));
    Set<Long> due = new HashSet<>();
    for (Progress part : speed) {
      Progress before = settled.get(part.part());
      if (before == null || !before.done() || part.late() > before.late() || part.position() > before.position()) {
        due.add(part.hour());
      }
    }
    return hours.only(due);
  }

  /** Hours whose beginning retention has removed from the topic would come out too small. */
  @Override
  public Set<Long> broken(Hours hours, List<Progress> speed) {
    Map<Integer, Long> begins = topic.begins();
    Set<Long> broken = new TreeSet<>();
    for (Progress part : speed) {
      if (hours.contain(part.hour()) && part.start() < begins.getOrDefault(part.partition(), 0L)) {
        broken.add(part.hour());
      }
    }
    return broken;
  }

  @Override
  public JavaRDD<Counted> count(SparkSession spark, Hours hours, List<Progress> speed) {
    Map<Integer, Long> from = begins(hours, speed);
    Map<Integer, Long> to = ends(hours, speed);
    from.replaceAll((partition, offset) -> Math.min(offset, to.get(partition)));
    Dataset<Row> records =
        spark
            .read()
            .format("kafka")
            .options(KafkaSettings.options(address))
            .option("assign", "{\"" + address.place() + "\":" + from.keySet() + "}")
            .option("startingOffsets", KafkaTopic.offsets(address.place(), from))
            .option("endingOffsets", KafkaTopic.offsets(address.place(), to))
            .load()
            .select("partition", "offset", "timestamp", "value");
    return records.javaRDD().mapPartitions(rows -> count(rows, hours));
  }

  /** The offsets from which on there may be facts of these hours. */
  private Map<Integer, Long> begins(Hours hours, List<Progress> speed) {
    Map<Integer, Long> known = new HashMap<>();
    if (hours.only() != null) {
      for (Progress part : speed) {
        if (hours.contain(part.hour())) {
          known.merge(part.partition(), part.start(), Math::min);
        }
      }
    } else if (hours.from() > 0) {
      known = topic.since(hours.from() * 1000);
    } else {
      return topic.begins();
    }
    Map<Integer, Long> begins = topic.begins(); // retention may have removed what the store knows of
    for (Map.Entry<Integer, Long> begin : begins.entrySet()) {
      begin.setValue(Math.max(begin.getValue(), known.getOrDefault(begin.getKey(), Long.MAX_VALUE)));
    }
    return begins;
  }

  /**
   * The offsets up to which there may be facts of these hours. Where the speed layer has gone past the hours, it has
   * noted where their last facts are, late ones included; else it is the end that the partition has now.
   */
  private Map<Integer, Long> ends(Hours hours, List<Progress> speed) {
    Map<Integer, Long> ends = topic.ends();
    for (Map.Entry<Integer, Long> end : ends.entrySet()) {
      long last = 0;
      boolean past = false;
      boolean open = false;
      for (Progress part : speed) {
        if (part.partition() == end.getKey()) {
          past |= part.hour() >= hours.to();
          open |= hours.contain(part.hour()) && !part.done();
          last = hours.contain(part.hour()) ? Math.max(last, part.position()) : last;
        }
      }
      if (past && !open) {
        end.setValue(Math.min(end.getValue(), last));
      }
    }
    return ends;
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

  @Override
  public Progress settled(Progress read, List<Progress> speed) {
    for (Progress part : speed) {
      if (part.part() == read.part()) {
        return new Progress(read.part(), read.start(), read.position(), true, part.late());
      }
    }
    return read;
  }

  @Override
  public void close() {
    topic.close();
  }
}
