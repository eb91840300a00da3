package hubbub.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.Row;
import com.github.luben.zstd.Zstd;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.StreamingQuery;
import org.apache.spark.sql.streaming.Trigger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Both jobs with Spark in this process, and with the Kafka and Cassandra that KAFKA and CASSANDRA name
 * (deploy/local/cluster): whatever way the speed layer takes, it ends with the rows of the batch layer.
 */
class JobsTest {
  private static final List<String> TABLES =
      List.of("wordcount", "viewers", "wordfreq", "msgperuser", "topwords", "topusers", "channels", "sheets");
  private static final String KAFKA = System.getenv("KAFKA");
  private static final String CASSANDRA = System.getenv("CASSANDRA");
  private static final String NAME = "jobs_" + ProcessHandle.current().pid();
  private static final Hours ALL = Hours.between(Long.MIN_VALUE, Long.MAX_VALUE, System.currentTimeMillis() / 1000);
  private static final int PARTITIONS = 4;

  private static SparkSession spark;

  @TempDir Path folder;

  @BeforeAll
  static void start() {
    assumeTrue(KAFKA != null && CASSANDRA != null, "KAFKA and CASSANDRA are not set");
    SparkConf conf = new SparkConf().setMaster("local[2]").setAppName(NAME).set("spark.ui.enabled", "false");
    spark = SparkSession.builder().config(conf).getOrCreate();
    spark.sparkContext().setLogLevel("WARN");
  }

  @AfterAll
  static void stop() {
    if (spark != null) {
      spark.stop();
    }
  }

  private static Address topic(String name) {
    return Address.parse("kafka://" + KAFKA + "/" + NAME + "_" + name);
  }

  private static CassandraStore store(String name) {
    return new CassandraStore(
        Address.parse("cassandra://" + CASSANDRA + "/" + NAME + "_" + name), spark.sparkContext().getConf());
  }

  private SpeedJob speed(CassandraStore store, Address log, String checkpoint, int recordsAtOnce) {
    return new SpeedJob(
        spark,
        store,
        log,
        new SpeedJob.Settings(20, 1 << 28, folder.resolve(checkpoint).toString(), 100, recordsAtOnce, true));
  }

  /** All rows, without what says which layer wrote them, and whether the hour is closed. */
  private static Map<String, List<String>> rows(CassandraStore store) {
    Map<String, List<String>> tables = new TreeMap<>();
    try (CqlSession session = store.open()) {
      for (String table : TABLES) {
        List<String> rows = new ArrayList<>();
        for (Row row : session.execute("SELECT * FROM " + store.table(table))) {
          rows.add(row.getFormattedContents().replaceAll(", (layer|closed):[^,\\]]*", ""));
        }
        rows.sort(null);
        tables.put(table, rows);
      }
    }
    return tables;
  }

  private static void assertSame(CassandraStore expected, CassandraStore found) {
    Map<String, List<String>> other = rows(found);
    rows(expected)
        .forEach(
            (table, rows) -> {
              assertTrue(table.equals("viewers") || !rows.isEmpty(), table);
              assertEquals(rows, other.get(table), table);
            });
  }

  private void fill(String topic, List<byte[]> lines) throws Exception {
    Path file = folder.resolve("lines");
    FoldTest.write(file, lines);
    Topics.fill(KAFKA, topic, file);
    Files.delete(file);
  }

  @Test
  void speedInManyStepsAndRunsIsBatch() throws Exception {
    Address log = topic("steps");
    Topics.make(KAFKA, log.place(), PARTITIONS);
    List<byte[]> lines = FoldTest.chat(6000, 7);
    CassandraStore stepwise = store("steps");
    for (int from = 0, to = 2000; from < lines.size(); from = to, to = Math.min(lines.size(), to + 2500)) {
      fill(log.place(), lines.subList(from, to));
      speed(stepwise, log, "steps", 900).run(); // goes on from the checkpoint
    }
    CassandraStore settled = store("settled");
    BatchJob.Summary done = new BatchJob(spark, settled, 20).run(new KafkaHoursLog(log), ALL, true);
    assertEquals(2, done.hours());
    assertEquals(lines.size(), done.counts().facts());
    assertSame(settled, stepwise);

    // Another run, without the checkpoint, goes by what the store says, and changes nothing.
    speed(stepwise, log, "again", 100000).run();
    assertSame(settled, stepwise);

    // What the batch layer has replaced stays as it is.
    new BatchJob(spark, stepwise, 20).run(new KafkaHoursLog(log), ALL, true);
    speed(stepwise, log, "once more", 100000).run();
    assertSame(settled, stepwise);
    try (CqlSession session = stepwise.open()) {
      session
          .execute("SELECT layer FROM " + stepwise.table("wordfreq"))
          .forEach(row -> assertEquals("batch", row.getString(0)));
    }
  }

  @Test
  void batchOfFilesIsBatchOfTopic() throws Exception {
    Address log = topic("files");
    Topics.make(KAFKA, log.place(), PARTITIONS);
    List<byte[]> lines = FoldTest.chat(4000, 8);
    fill(log.place(), lines);
    List<byte[]> first = new ArrayList<>();
    List<byte[]> second = new ArrayList<>();
    for (byte[] line : lines) {
      (FoldTest.time(line) < (FoldTest.HOUR + Progress.HOUR) * 1000 ? first : second).add(line);
    }
    Path hours = Files.createDirectory(folder.resolve("log"));
    FoldTest.write(hours.resolve("2025-11-24T16.irc"), first);
    Path plain = folder.resolve("plain");
    FoldTest.write(plain, second);
    Files.write(hours.resolve("2025-11-24T17.irc.zst"), Zstd.compress(Files.readAllBytes(plain)));
    CassandraStore ofFiles = store("of_files");
    CassandraStore ofTopic = store("of_topic");
    BatchJob.Summary done = new BatchJob(spark, ofFiles, 20).run(new FileHoursLog(hours.toString()), ALL, false);
    assertEquals(2, done.hours());
    new BatchJob(spark, ofTopic, 20).run(new KafkaHoursLog(log), ALL, false);
    assertSame(ofTopic, ofFiles);
    assertEquals(0, new BatchJob(spark, ofFiles, 20).run(new FileHoursLog(hours.toString()), ALL, false).hours());
  }

  @Test
  void followsTheTopicUntilStopped() throws Exception {
    Address log = topic("live");
    Topics.make(KAFKA, log.place(), PARTITIONS);
    CassandraStore store = store("live");
    SpeedJob job =
        new SpeedJob(
            spark, store, log, new SpeedJob.Settings(20, 1 << 28, folder.resolve("live").toString(), 200, 1000, false));
    store.createTables();
    StreamingQuery query = job.start(Speed.Flush.ROWS, Trigger.ProcessingTime(200));
    fill(log.place(), FoldTest.chat(1000, 9));
    query.processAllAvailable();
    fill(log.place(), FoldTest.chat(1000, 9)); // all of it again
    query.processAllAvailable();
    query.stop();
    job.settle(); // as run() does when told to stop
    CassandraStore settled = store("live_settled");
    new BatchJob(spark, settled, 20).run(new KafkaHoursLog(log), ALL, true);
    assertSame(settled, store);
  }
}
