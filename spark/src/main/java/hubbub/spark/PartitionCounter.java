package hubbub.spark;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.FlatMapGroupsWithStateFunction;
import org.apache.spark.sql.streaming.GroupState;
import scala.Tuple3;

/**
 * Counts a partition's lines of one micro-batch on top of its state, and gives the rows that have changed.
 *
 * <p>A pure function: the same state, lines and time give the same rows and the same state, wherever and however often
 * it runs. The time is the micro-batch's, which Spark keeps with its offsets; no clock is read.
 */
final class PartitionCounter
    implements FlatMapGroupsWithStateFunction<Integer, Tuple3<Integer, Long, byte[]>, byte[], byte[]> {
  private static final long serialVersionUID = 1;
  private static final long SOON = 1; // ms: the next micro-batch looks at partitions without lines, too

  private final Speed.Options options;
  private final Speed.Flush flush;

  PartitionCounter(Speed.Options options, Speed.Flush flush) {
    this.options = options;
    this.flush = flush;
  }

  @Override
  public Iterator<byte[]> call(
      Integer partition, Iterator<Tuple3<Integer, Long, byte[]>> pieces, GroupState<byte[]> state) {
    long now = state.getCurrentProcessingTimeMs();
    List<byte[]> rows = new ArrayList<>();
    try (Speed speed = new Speed(partition, options, state.getOption().getOrElse(() -> null))) {
      for (Tuple3<Integer, Long, byte[]> piece : sorted(pieces)) {
        speed.take(piece._2(), piece._3(), now, rows);
      }
      speed.finish(flush, now, rows);
      state.update(speed.save());
    }
    state.setTimeoutDuration(SOON);
    return rows.iterator();
  }

  /** A shuffle promises no order. */
  private static List<Tuple3<Integer, Long, byte[]>> sorted(Iterator<Tuple3<Integer, Long, byte[]>> pieces) {
    List<Tuple3<Integer, Long, byte[]>> list = new ArrayList<>();
    pieces.forEachRemaining(list::add);
    list.sort(Comparator.comparing(Tuple3::_2));
    return list;
  }
}
