package hubbub.spark;

import java.io.Serializable;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Tuple2;

/**
 * The batch layer: recomputes whole hours from the log, exactly, and replaces them in the store.
 *
 * <p>Tasks that read fold their lines in C into sheets, which are a few percent of the lines. These small blobs are
 * shuffled by channel and hour; where one channel's hour comes from two tasks, C merges them. Tasks that write make rows
 * of each and send them to Cassandra. Everything may be repeated: counts come out the same, and a write that is done
 * twice, or by a task that was thought dead, says the same with the same timestamp.
 */
final class BatchJob {
  private static final Logger LOG = LoggerFactory.getLogger(BatchJob.class);

  private final SparkSession spark;
  private final CassandraStore store;
  private final int top;

  /**
   * @param top how many words of each kind, and users, are kept in rows for each channel and hour; 0 means all
   */
  BatchJob(SparkSession spark, CassandraStore store, int top) {
    this.spark = spark;
    this.store = store;
    this.top = top;
  }

  /** What was done. */
  record Summary(int hours, FoldCounts counts, long late) {}

  /** What a task has written. */
  private record Written(List<Sheet.Key> sheets, List<Counted.Report> reports) implements Serializable {}

  /** Recomputes hours; where everyHour is false, of those only the ones that have changed since the last time. */
  Summary run(HoursLog log, Hours range, boolean everyHour) {
    store.createTables();
    List<Progress> speed = store.progress(Layer.SPEED);
    Hours hours = everyHour ? range : log.due(range, speed, store.progress(Layer.BATCH));
    Set<Long> broken = log.broken(hours, speed);
    for (long hour : broken) {
      LOG.warn("{} is left as it is: the log no longer holds all of it", Instant.ofEpochSecond(hour));
    }
    hours = hours.without(broken);
    if (hours.isEmpty()) {
      return new Summary(0, FoldCounts.NONE, 0);
    }
    Stamps stamps = Stamps.batch(Instant.now());
    List<Written> written = countAndWrite(log, hours, speed, stamps);
    return settle(log, speed, stamps, written);
  }

  private List<Written> countAndWrite(HoursLog log, Hours hours, List<Progress> speed, Stamps stamps) {
    CassandraStore to = store;
    int first = top;
    return log.count(spark, hours, speed)
        .mapToPair(counted -> new Tuple2<>(counted.key(), counted))
        .reduceByKey(Counted::merge, spark.sparkContext().defaultParallelism())
        .values()
        .mapPartitions(counted -> List.of(write(counted, to, stamps, first)).iterator())
        .collect();
  }

  private static Written write(Iterator<Counted> counted, CassandraStore store, Stamps stamps, int top) {
    Written written = new Written(new ArrayList<>(), new ArrayList<>());
    try (RowWriter writer = RowWriter.batch(store, stamps)) {
      while (counted.hasNext()) {
        Counted next = counted.next();
        if (next instanceof Counted.OfSheet some) {
          writer.write(Libhubbub.sheetRows(some.sheet().encoded(), top));
          written.sheets().add(some.sheet().key());
        } else if (next instanceof Counted.Report report) {
          written.reports().add(report);
        }
      }
      writer.finish();
    }
    return written;
  }

  /** Removes what the hours hold of channels that have nothing in them, and notes that the hours are done. */
  private Summary settle(HoursLog log, List<Progress> speed, Stamps stamps, List<Written> written) {
    Set<Sheet.Key> sheets = new HashSet<>();
    Set<Long> hours = new TreeSet<>();
    List<Progress> parts = new ArrayList<>();
    FoldCounts counts = FoldCounts.NONE;
    long late = 0;
    for (Written each : written) {
      sheets.addAll(each.sheets());
      for (Counted.Report report : each.reports()) {
        counts = counts.plus(report.counts());
        for (Progress read : report.parts()) {
          Progress part = log.settled(read, speed);
          parts.add(part);
          hours.add(part.hour());
          late += part.late();
        }
      }
    }
    try (RowWriter writer = RowWriter.batch(store, stamps)) {
      for (String channel : store.channels()) {
        for (long hour : hours) {
          if (!sheets.contains(new Sheet.Key(channel, hour))) {
            writer.clear(channel, hour);
          }
        }
      }
      writer.finish();
      writer.writeProgress(parts);
    }
    return new Summary(hours.size(), counts, late);
  }

  /** The line that hubbub batch ends with. */
  static String say(Summary summary, long tookMs) {
    return String.format(
        Locale.ROOT,
        "recomputed %d hour%s, %,d facts in %.1f s (%,d messages/s): %,d duplicates, %,d late facts now counted",
        summary.hours(),
        summary.hours() == 1 ? "" : "s",
        summary.counts().facts(),
        tookMs / 1000.0,
        (summary.counts().messages() + summary.counts().shared()) * 1000 / Math.max(1, tookMs),
        summary.counts().duplicates(),
        summary.late());
  }
}
