package hubbub.spark;

import java.io.IOException;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeoutException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.function.ForeachPartitionFunction;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.api.java.function.VoidFunction2;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.GroupStateTimeout;
import org.apache.spark.sql.streaming.OutputMode;
import org.apache.spark.sql.streaming.StreamingQuery;
import org.apache.spark.sql.streaming.StreamingQueryException;
import org.apache.spark.sql.streaming.Trigger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Tuple3;

/**
 * The speed layer: follows a topic, and keeps the store current.
 *
 * <p>Each micro-batch, a task reads what is new in a partition and packs the lines; the shuffle carries them to where the
 * partition's state is; there C counts them on top of it; and the rows that have changed go to Cassandra with absolute
 * values. The state is what the C speed layer of a partition holds: open sheets, encoded, the ids that they have counted,
 * the watermark, and how far each hour is. It is kept by Spark, with the offsets that it belongs to.
 *
 * <p>Why lines are shuffled here and sheets in the batch layer: an id counts once in an hour, and reconnects repeat lines
 * across micro-batches. Only where the ids are remembered can it be told which lines are new; from a partial sheet, a line
 * that turns out to be old could not be taken out again. Ids that stayed with the reading task would be exact only as long
 * as no executor dies. And a partial sheet of a few seconds is hardly smaller than its lines.
 *
 * <p>What makes it exact when tasks, executors or the driver die: a micro-batch is done again from the state before it,
 * with the same offsets and the same time, so it gives the same state and the same rows, with the same timestamps.
 */
final class SpeedJob {
  private static final int FAILURES_MAX = 3; // in a row, before the first micro-batch
  private static final Logger LOG = LoggerFactory.getLogger(SpeedJob.class);

  private final SparkSession spark;
  private final CassandraStore store;
  private final Address log;
  private final Settings settings;

  /**
   * @param top how many words of each kind, and users, are kept in rows for each channel and hour; 0 means all
   * @param memory bytes that counting one partition may take
   * @param checkpoint a folder of its own, on storage that all workers see
   * @param everyMs between the beginnings of two micro-batches
   * @param recordsAtOnce in one micro-batch, at most
   * @param untilEnd to stop once all is counted that the topic holds when the job begins
   */
  record Settings(int top, long memory, String checkpoint, long everyMs, long recordsAtOnce, boolean untilEnd) {}

  SpeedJob(SparkSession spark, CassandraStore store, Address log, Settings settings) {
    this.spark = spark;
    this.store = store;
    this.log = log;
    this.settings = settings;
  }

  /** Runs until it is told to stop, or to the end. What fails is begun again where it stood. */
  void run() {
    Stop stop = Stop.onSignals();
    store.createTables();
    try {
      for (int failures = 0; !stop.wanted() && !count(stop, failures); failures++) {}
      if (!settings.untilEnd()) {
        settle();
      }
    } catch (StreamingQueryException | TimeoutException e) {
      throw new HubbubException("counting " + log + " has stopped: " + e.getMessage(), e);
    }
  }

  /** Counts until stopped, or to the end. False: it has failed after it had come forward, and may be tried again. */
  private boolean count(Stop stop, int failures) throws StreamingQueryException, TimeoutException {
    StreamingQuery query =
        settings.untilEnd()
            ? start(Speed.Flush.END, Trigger.AvailableNow())
            : start(Speed.Flush.ROWS, Trigger.ProcessingTime(settings.everyMs()));
    stop.stops(query);
    try {
      query.awaitTermination();
      return true;
    } catch (StreamingQueryException e) {
      if (query.lastProgress() == null && failures >= FAILURES_MAX) {
        throw e;
      }
      LOG.warn("counting {} has failed, and goes on where it stood: {}", log, e.getMessage());
      return false;
    }
  }

  /**
   * Writes the sheets that were not due yet: by the last micro-batch once more, which gives the same counts. Spark would
   * not begin another one without new lines, but it does again what it does not know to be done.
   */
  void settle() throws StreamingQueryException, TimeoutException {
    forgetLastCommit();
    start(Speed.Flush.ALL, Trigger.Once()).awaitTermination();
  }

  /** As if the driver had died just before it noted that the last micro-batch is done. */
  private void forgetLastCommit() {
    Path commits = new Path(settings.checkpoint(), "commits"); // a file for each, named by its number
    try {
      FileSystem files = commits.getFileSystem(spark.sparkContext().hadoopConfiguration());
      Path last = null;
      for (FileStatus each : files.exists(commits) ? files.listStatus(commits) : new FileStatus[0]) {
        Path commit = each.getPath();
        if (commit.getName().matches("[0-9]+")
            && (last == null || Long.parseLong(commit.getName()) > Long.parseLong(last.getName()))) {
          last = commit;
        }
      }
      if (last != null) {
        files.delete(last, false);
      }
    } catch (IOException e) {
      throw new HubbubException("the checkpoint " + settings.checkpoint() + " cannot be used: " + e.getMessage(), e);
    }
  }

  StreamingQuery start(Speed.Flush flush, Trigger trigger) throws TimeoutException {
    Speed.Options options =
        new Speed.Options(
            settings.top(), settings.memory(), store.progress(Layer.BATCH), store.progress(Layer.SPEED));
    Map<Integer, Long> starts = starts(options);
    configure(starts.size());
    Dataset<Row> records =
        spark
            .readStream()
            .format("kafka")
            .options(KafkaSettings.options(log))
            .option("subscribe", log.place())
            .option("startingOffsets", KafkaTopic.offsets(log.place(), starts)) // without a checkpoint
            .option("maxOffsetsPerTrigger", settings.recordsAtOnce())
            .load()
            .select("partition", "offset", "value");
    return records
        .mapPartitions((MapPartitionsFunction<Row, Tuple3<Integer, Long, byte[]>>) Piece::of, Piece.ENCODER)
        .groupByKey((MapFunction<Tuple3<Integer, Long, byte[]>, Integer>) Tuple3::_1, Encoders.INT())
        .flatMapGroupsWithState(
            new PartitionCounter(options, flush),
            OutputMode.Update(),
            Encoders.BINARY(),
            Encoders.BINARY(),
            GroupStateTimeout.ProcessingTimeTimeout())
        .writeStream()
        .outputMode(OutputMode.Update())
        .option("checkpointLocation", settings.checkpoint())
        .trigger(trigger)
        .foreachBatch(write(store))
        .start();
  }

  /** Where to begin in each partition, by what the store says. */
  private Map<Integer, Long> starts(Speed.Options options) {
    Map<Integer, Long> starts = new TreeMap<>();
    try (KafkaTopic topic = new KafkaTopic(log)) {
      topic
          .begins()
          .forEach(
              (partition, begin) -> {
                try (Speed speed = new Speed(partition, options, null)) {
                  starts.put(partition, Math.max(begin, speed.next()));
                }
              });
    }
    return starts;
  }

  private void configure(int partitions) {
    // A key of the state is a partition of the topic; the number stays what it was when the checkpoint began.
    spark.conf().set("spark.sql.shuffle.partitions", Integer.toString(partitions));
    // Each version of the state is as large as the open sheets.
    spark.conf().set("spark.sql.streaming.minBatchesToRetain", "3");
    spark.conf().set("spark.sql.streaming.maxBatchesToRetainInMemory", "1");
    // Since the state may time out, there would be no end of micro-batches without lines.
    spark.conf().set("spark.sql.streaming.noDataMicroBatches.enabled", "false");
    spark.conf().set("spark.sql.adaptive.enabled", "false"); // which is not for streams, and says so
  }

  private static VoidFunction2<Dataset<byte[]>, Long> write(CassandraStore store) {
    return (rows, batch) -> rows.foreachPartition((ForeachPartitionFunction<byte[]>) some -> write(store, some));
  }

  private static void write(CassandraStore store, Iterator<byte[]> rows) {
    if (!rows.hasNext()) {
      return; // and opens no session
    }
    try (RowWriter writer = RowWriter.speed(store)) {
      rows.forEachRemaining(writer::write);
      writer.finish();
    }
  }
}
