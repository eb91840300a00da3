package hubbub.spark;

import java.util.List;
import java.util.Set;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.SparkSession;

/** A log that the batch layer counts hours of. */
interface HoursLog extends AutoCloseable {

  /** Leaves, of the hours, those whose facts are others than the batch layer has counted. */
  Hours due(Hours hours, List<Progress> speed, List<Progress> batch);

  /** Of the hours, those that the log no longer holds whole: they stay as they are. */
  Set<Long> broken(Hours hours, List<Progress> speed);

  /** Counts the hours: sheets, and a report of each task. */
  JavaRDD<Counted> count(SparkSession spark, Hours hours, List<Progress> speed);

  /** What the batch layer's progress of a part is to be, which a task has read. */
  Progress settled(Progress read, List<Progress> speed);

  @Override
  void close();
}
