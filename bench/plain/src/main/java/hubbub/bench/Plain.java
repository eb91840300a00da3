package hubbub.bench;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.lower;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.regexp_extract;
import static org.apache.spark.sql.functions.size;
import static org.apache.spark.sql.functions.split;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.timestamp_millis;
import static org.apache.spark.sql.functions.trim;
import static org.apache.spark.sql.functions.window;

import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.StreamingQuery;
import org.apache.spark.sql.streaming.Trigger;

/**
 * Chat from Kafka counted into Cassandra the way one writes it with Spark's own functions: fields by regular expression,
 * words by white space, groupBy over windows of event time, the connector for the rows. Three views: words a minute,
 * how often each word, how many messages of each user. It knows no emotes, links or languages, no duplicates, no Shared
 * Chat, no deletions, and no batch layer: what it does is the least that hubbub does, so that to compare is fair to it.
 *
 * <p>Arguments: Kafka's address, the topic, the keyspace (its tables are there), a folder for checkpoints; and
 * "until-end" to read what the topic holds and end, or "on" to go on with what comes.
 */
public final class Plain {
    private Plain() {}

    public static void main(String[] arguments) throws Exception {
        String kafka = arguments[0], topic = arguments[1], keyspace = arguments[2], checkpoints = arguments[3];
        Trigger trigger = arguments[4].equals("on") ? Trigger.ProcessingTime(0) : Trigger.AvailableNow();
        SparkSession spark = SparkSession.builder().appName("plain").getOrCreate();
        Dataset<Row> messages = messages(spark, kafka, topic);
        Dataset<Row> words = messages.withColumn("word", explode(split(col("text"), "\\s+")));

        Dataset<Row> wordcount = messages.groupBy(col("channel"), window(col("time"), "1 minute"))
                .agg(count("*").as("messages"), sum(size(split(col("text"), "\\s+"))).as("words"))
                .select(col("channel"), col("window.start").as("minute"), col("messages"), col("words"));
        Dataset<Row> wordfreq = words.groupBy(col("channel"), window(col("time"), "1 hour"), lower(col("word")).as("word"))
                .agg(count("*").as("count"))
                .select(col("channel"), col("window.start").as("hour"), col("word"), col("count"));
        Dataset<Row> msgperuser = messages.groupBy(col("channel"), window(col("time"), "1 hour"), col("user_id"))
                .agg(max("user_name").as("user_name"), count("*").as("messages"))
                .select(col("channel"), col("window.start").as("hour"), col("user_id"), col("user_name"), col("messages"));

        List<StreamingQuery> queries = List.of(
                store(wordcount, keyspace, "wordcount", checkpoints, trigger),
                store(wordfreq, keyspace, "wordfreq", checkpoints, trigger),
                store(msgperuser, keyspace, "msgperuser", checkpoints, trigger));
        for (StreamingQuery query : queries) {
            query.awaitTermination();
        }
        spark.stop();
    }

    /** The messages of the topic, a row each. */
    private static Dataset<Row> messages(SparkSession spark, String kafka, String topic) {
        var line = col("value").cast("string");
        return spark.readStream().format("kafka")
                .option("kafka.bootstrap.servers", kafka)
                .option("subscribe", topic)
                .option("startingOffsets", "earliest")
                .load()
                .where(line.contains(" PRIVMSG #"))
                .select(
                        regexp_extract(line, " PRIVMSG #(\\S+) :", 1).as("channel"),
                        timestamp_millis(regexp_extract(line, "tmi-sent-ts=(\\d+)", 1).cast("long")).as("time"),
                        regexp_extract(line, "user-id=(\\d+)", 1).as("user_id"),
                        regexp_extract(line, "display-name=([^;]*)", 1).as("user_name"),
                        trim(regexp_extract(line, " PRIVMSG #\\S+ :(.*)", 1)).as("text"))
                .withWatermark("time", "2 minutes");
    }

    /** Starts a query that writes the rows that have changed. */
    private static StreamingQuery store(Dataset<Row> rows, String keyspace, String table, String checkpoints,
            Trigger trigger) throws Exception {
        return rows.writeStream().outputMode("update").trigger(trigger)
                .option("checkpointLocation", checkpoints + "/" + table)
                .foreachBatch((batch, id) -> {
                    batch.write().format("org.apache.spark.sql.cassandra")
                            .options(Map.of("keyspace", keyspace, "table", table)).mode("append").save();
                })
                .start();
    }
}
