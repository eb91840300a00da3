package hubbub.spark;

import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import scala.Tuple3;

/**
 * Lines of one partition that stand one behind the other, so that thousands are one row to Spark. As a tuple, which Spark
 * knows how to keep in few bytes: partition, offset of the first line, and the lines, each with its LF.
 */
final class Piece {
  static final Encoder<Tuple3<Integer, Long, byte[]>> ENCODER =
      Encoders.tuple(Encoders.INT(), Encoders.LONG(), Encoders.BINARY());

  private static final int SIZE = 1 << 20;

  private Piece() {}

  /** Puts records (partition, offset, value) together, in their order. */
  static Iterator<Tuple3<Integer, Long, byte[]>> of(Iterator<Row> records) {
    return new Iterator<>() {
      private Row ahead = records.hasNext() ? records.next() : null;

      @Override
      public boolean hasNext() {
        return ahead != null;
      }

      @Override
      public Tuple3<Integer, Long, byte[]> next() {
        if (ahead == null) {
          throw new NoSuchElementException();
        }
        int partition = ahead.getInt(0);
        long first = ahead.getLong(1);
        Bytes lines = new Bytes(SIZE);
        for (long next = first; ahead != null && belongs(partition, next) && lines.size() < SIZE; next++) {
          if (!ahead.isNullAt(2)) { // a record without a value is an empty line
            lines.append(ahead.getAs(2));
          }
          lines.append('\n');
          ahead = records.hasNext() ? records.next() : null;
        }
        return new Tuple3<>(partition, first, lines.toArray());
      }

      /** Where offsets are left out (by compaction, say) a new piece begins. */
      private boolean belongs(int partition, long next) {
        return ahead.getInt(0) == partition && ahead.getLong(1) == next;
      }
    };
  }
}
