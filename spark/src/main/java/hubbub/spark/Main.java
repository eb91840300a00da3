package hubbub.spark;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
    try (SparkSession spark = SparkSession.builder().appName("hubbub " + arguments[0]).getOrCreate()) {
      CassandraStore store = new CassandraStore(at, spark.sparkContext().getConf());
      return switch (arguments[0]) {
        case "batch" -> batch(new BatchJob(spark, store, top), log, options);
        default -> throw new HubbubException("there is no job \"" + arguments[0] + "\"");
      };
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
    for (List<String> rest = new ArrayList<>(List.of(arguments)).subList(1, arguments.length); !rest.isEmpty(); ) {
      options.put(rest.get(0).replaceFirst("^--", ""), rest.get(1));
      rest = rest.subList(2, rest.size());
    }
    return options;
  }
}
