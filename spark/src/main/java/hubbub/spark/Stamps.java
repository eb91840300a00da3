package hubbub.spark;

import java.io.Serializable;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * The timestamps of writes, such that the right value wins in whichever order they arrive: the head of cassandra.cql
 * explains them.
 *
 * @param rows of rows, and of rows that have left the top
 * @param deletes of what a replacement makes stale
 */
record Stamps(long rows, long deletes) implements Serializable {
  private static final long BATCH = 1L << 61;
  private static final long FIRST_SEEN = 1L << 52;

  /** Of rows that hold all facts before a position in a part of the log. */
  static Stamps speed(long position) {
    return new Stamps(2 * position + 1, 2 * position);
  }

  /** Of a replacement that begins at this moment. */
  static Stamps batch(Instant now) {
    long began = BATCH + ChronoUnit.MICROS.between(Instant.EPOCH, now);
    return new Stamps(began + 1, began);
  }

  /** The smaller a channel's first_seen, the greater its timestamp. */
  static long firstSeen(long seconds) {
    return FIRST_SEEN - seconds;
  }
}
