package hubbub.spark;

import java.io.Serializable;
import java.util.List;

/** What a task that counts hands on to those that write: its sheets, then its report. */
public sealed interface Counted extends Serializable {

  /** What is brought together, if it comes from several tasks. */
  Sheet.Key key();

  /** A sheet. */
  record OfSheet(Sheet sheet) implements Counted {
    @Override
    public Sheet.Key key() {
      return sheet.key();
    }
  }

  /**
   * How far the log was read, and what was met. A shuffle carries it since nothing else tells exactly once: a task that
   * is repeated adds to Spark's accumulators again.
   *
   * @param parts each with the offset of its first fact that was read
   */
  record Report(int task, List<Progress> parts, FoldCounts counts) implements Counted {
    @Override
    public Sheet.Key key() {
      return new Sheet.Key("#" + task, 0); // no channel's name
    }
  }

  /** Of two tasks' sheets, or of a report and itself, there is one. */
  static Counted merge(Counted one, Counted other) {
    return one instanceof OfSheet first && other instanceof OfSheet second
        ? new OfSheet(first.sheet().merge(second.sheet()))
        : one;
  }
}
