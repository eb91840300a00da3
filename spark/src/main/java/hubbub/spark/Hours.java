package hubbub.spark;

import java.io.Serializable;
import java.util.Set;

/**
 * The hours that the batch layer is to recompute (Unix seconds).
 *
 * @param from the first, or the least number there is
 * @param to the end
 * @param only of these, those that are meant; null: all
 * @param not those that are not meant all the same
 */
record Hours(long from, long to, Set<Long> only, Set<Long> not) implements Serializable {
  private static final long REST = 300; // an hour is taken this long after its end, as by hubbub batch

  /** A range from a time in the first hour on, up to hours that begin before `to`; without those that still go on. */
  static Hours between(long from, long to, long now) {
    long ended = Math.floorDiv(now - REST, Progress.HOUR) * Progress.HOUR;
    long first = from == Long.MIN_VALUE ? from : Math.floorDiv(from, Progress.HOUR) * Progress.HOUR;
    return new Hours(first, Math.min(to, ended), null, Set.of());
  }

  Hours only(Set<Long> hours) {
    return new Hours(from, to, hours, not);
  }

  Hours without(Set<Long> hours) {
    return new Hours(from, to, only, hours);
  }

  boolean contain(long hour) {
    return hour >= from && hour < to && (only == null || only.contains(hour)) && !not.contains(hour);
  }

  boolean isEmpty() {
    return from >= to || (only != null && only.stream().noneMatch(this::contain));
  }
}
