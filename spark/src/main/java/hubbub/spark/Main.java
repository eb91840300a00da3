package hubbub.spark;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/**
 * What {@code hubbub batch --on spark://…} and {@code hubbub process --on spark://…} submit: {@code batch} or {@code
 * process}, then {@code --name value} of what the command was given. Where log and store are stands in the environment
 * (HUBBUB_SPARK_LOG, HUBBUB_SPARK_STORE), since it may hold passwords.
 */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    try {
      System.exit(run(arguments));
    } catch (HubbubException e) {
      System.err.println("hubbub: " + e.getMessage());
      System.exit(1);
    }
  }

  private static int run(String[] arguments) {
    Map<String, String> options = options(arguments);
    Address log = Address.parse(environment("HUBBUB_SPARK_LOG"));
    Address at = Address.parse(environment("HUBBUB_SPARK_STORE"));
    int top = Integer.parseInt(options.getOrDefault("top", "100"));
    // Tables are made while Spark starts its executors; jobs then find them there.
    CassandraStore store = new CassandraStore(at, new SparkConf());
    CompletableFuture<Void> tables = CompletableFuture.runAsync(store::createTables);
    try (SparkSession spark = SparkSession.builder().appName("hubbub " + arguments[0]).getOrCreate()) {
      await(tables);
      return switch (arguments[0]) {
        case "batch" -> batch(new BatchJob(spark, store, top), log, options);
        case "process" -> process(spark, store, log, options);
        default -> throw new HubbubException("there is no job \"" + arguments[0] + "\"");
      };
    }
  }

  private static void await(CompletableFuture<Void> work) {
    try {
      work.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof HubbubException why ? why : e;
    }
  }

  private static int batch(BatchJob job, Address at, Map<String, String> options) {
    long now = System.currentTimeMillis();
    boolean ranged = options.containsKey("from") || options.containsKey("to");
    Hours hours =
        Hours.between(
            Long.parseLong(options.getOrDefault("from", Long.toString(Long.MIN_VALUE))),
            Long.parseLong(options.getOrDefault("to", Long.toString(Long.MAX_VALUE))),
            now / 1000);
    try (HoursLog log = at.scheme().equals("kafka") ? new KafkaHoursLog(at) : new FileHoursLog(at.place())) {
      BatchJob.Summary done = job.run(log, hours, ranged);
      say(done.hours() == 0 ? "there is nothing to recompute" : BatchJob.say(done, System.currentTimeMillis() - now));
    }
    return 0;
  }

  private static int process(SparkSession spark, CassandraStore store, Address log, Map<String, String> options) {
    SpeedJob.Settings settings =
        new SpeedJob.Settings(
            Integer.parseInt(options.getOrDefault("top", "100")),
            Long.parseLong(options.getOrDefault("memory", "1073741824")),
            options.get("checkpoint"),
            Long.parseLong(options.getOrDefault("every", "2000")),
            Long.parseLong(options.getOrDefault("at-once", "1000000")),
            options.containsKey("until-end"));
    new SpeedJob(spark, store, log, settings).run();
    return 0;
  }

  private static void say(String text) {
    System.err.println("hubbub: " + text);
  }

  private static String environment(String name) {
    String value = System.getenv(name);
    if (value == null) {
      throw new HubbubException(name + " is not set; hubbub batch --on and hubbub process --on set it");
    }
    return value;
  }

  /** --name value --name value */
  private static Map<String, String> options(String[] arguments) {
    if (arguments.length % 2 == 0) {
      throw new HubbubException("what is wanted is a job, and pairs of --name value");
    }
    Map<String, String> options = new HashMap<>();
    for (int i = 1; i < arguments.length; i += 2) {
      options.put(arguments[i].replaceFirst("^--", ""), arguments[i + 1]);
    }
    return options;
  }
}
