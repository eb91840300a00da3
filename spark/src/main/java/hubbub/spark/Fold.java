package hubbub.spark;

import java.util.Iterator;
import java.util.NoSuchElementException;

/** Lines in, sheets out. All lines of a channel and hour that may hold one id twice must go to one fold. */
final class Fold extends NativeHandle {
  private final LineBuffer lines = new LineBuffer();

  Fold() {
    super(Libhubbub.foldOpen(), Libhubbub::foldClose);
  }

  /** Counts a line, without its LF. */
  void add(byte[] line) {
    if (!lines.add(line)) {
      count();
      lines.add(line);
    }
  }

  private void count() {
    if (!lines.isEmpty()) {
      Libhubbub.foldLines(pointer(), lines.bytes(), lines.size());
      lines.clear();
    }
  }

  /** What was met so far. */
  FoldCounts counts() {
    count();
    return FoldCounts.of(Libhubbub.foldCounts(pointer()));
  }

  /**
   * The sheets of all lines so far, encoded one by one as they are asked for. After the last, the fold has forgotten them
   * and closes.
   */
  Iterator<Sheet> sheets() {
    count();
    return new Iterator<>() {
      private Sheet next = Libhubbub.foldNextSheet(pointer());

      @Override
      public boolean hasNext() {
        return next != null;
      }

      @Override
      public Sheet next() {
        if (next == null) {
          throw new NoSuchElementException();
        }
        Sheet given = next;
        next = Libhubbub.foldNextSheet(pointer());
        if (next == null) {
          close();
        }
        return given;
      }
    };
  }
}
