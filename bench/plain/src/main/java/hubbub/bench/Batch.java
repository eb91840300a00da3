package hubbub.bench;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.split;

import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.expressions.Window;

/**
 * Chat out of a file of lines counted by Spark's own functions; see bench/run for the job and its output. Fields are
 * cut out with substring_index, which costs less than regular expressions until these are compiled; they are kept in
 * memory for three results.
 *
 * <p>Arguments: the file, the folder for results. What runs Spark, and with how many cores, says spark.master.
 */
public final class Batch {
    private Batch() {}

    public static void main(String[] arguments) {
        String lines = arguments[0], out = arguments[1];
        SparkSession spark = SparkSession.builder().appName("batch").getOrCreate();
        Dataset<Row> chat = chat(spark, lines).cache();
        write(chat.groupBy("channel", "minute").agg(count("*"), countDistinct("user_id")), out, "minutes");
        write(top(chat.groupBy("channel", "user_id").agg(count("*").as("count")), "user_id"), out, "users");
        Dataset<Row> words = chat.select(col("channel"), explode(split(col("text"), " ")).as("word"))
                .where("word != ''");
        write(top(words.groupBy("channel", "word").agg(count("*").as("count")), "word"), out, "words");
        spark.stop();
    }

    /** The messages, a row each, without those that Shared Chat copies from another channel. */
    private static Dataset<Row> chat(SparkSession spark, String lines) {
        return spark.read().text(lines)
                .where(col("value").contains(" PRIVMSG #"))
                .where("not contains(value, ';source-room-id=') or " + tag("value", "source-room-id") + " = "
                        + tag("value", "room-id"))
                .selectExpr("substring_index(value, ';tmi-sent-ts=', -1) as tail")
                .selectExpr("tail", "substr(tail, locate(' PRIVMSG #', tail) + 10) as rest")
                .selectExpr(
                        "substring_index(rest, ' ', 1) as channel",
                        "cast(cast(substring_index(tail, ';', 1) as bigint) / 60000 as bigint) * 60 as minute",
                        "cast(" + tag("tail", "user-id") + " as bigint) as user_id",
                        "substr(rest, locate(' :', rest) + 2) as text");
    }

    private static String tag(String text, String name) {
        return "substring_index(substring_index(" + text + ", ';" + name + "=', -1), ';', 1)";
    }

    /** The 100 most frequent of each channel; of equally frequent ones those first whose spelling is. */
    private static Dataset<Row> top(Dataset<Row> counts, String name) {
        Column rank = row_number().over(
                Window.partitionBy("channel").orderBy(col("count").desc(), col(name).cast("string")));
        return counts.withColumn("rank", rank).where("rank <= 100").drop("rank");
    }

    private static void write(Dataset<Row> rows, String out, String name) {
        Column[] columns = new Column[rows.columns().length];
        for (int i = 0; i < columns.length; i++) {
            columns[i] = rows.col(rows.columns()[i]).cast("string");
        }
        rows.select(concat_ws("\t", columns)).write().text(out + "/" + name + ".tsv");
    }
}
