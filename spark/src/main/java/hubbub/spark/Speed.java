package hubbub.spark;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The speed layer of one partition of a Kafka log: {@code src/views/speed.h} says how it counts. */
final class Speed extends NativeHandle {
  private static final int NUMBERS = 6; // of a progress

  private ByteBuffer buffer = ByteBuffer.allocateDirect(LineBuffer.SIZE);

  /** What is to be written; in the order of {@code hb_speed_flush_kind}. */
  enum Flush {
    /** Changed rows, and of the sheets what is due. */
    ROWS,
    /** All that has changed, sheets too: before stopping. */
    ALL,
    /** The same, and nothing more is to come. */
    END
  }

  /**
   * @param state what {@link #save} has made; null: what the store has as progress is where to begin
   */
  Speed(int partition, Options options, byte[] state) {
    super(
        Libhubbub.speedOpen(
            partition, options.top(), options.memory(), state, numbers(options.batch(), options.speed())),
        Libhubbub::speedClose);
  }

  /**
   * @param top rows kept of each channel, hour and kind, and of its users; 0 means all
   * @param memory bytes that counting a partition may take
   * @param batch the batch layer's progress, and
   * @param speed the speed layer's, as the store had them when the job began
   */
  record Options(int top, long memory, List<Progress> batch, List<Progress> speed) implements java.io.Serializable {}

  private static long[] numbers(List<Progress> batch, List<Progress> speed) {
    long[] numbers = new long[NUMBERS * (batch.size() + speed.size())];
    int at = 0;
    for (List<Progress> parts : List.of(batch, speed)) {
      for (Progress part : parts) {
        numbers[at++] = parts == batch ? 1 : 0;
        numbers[at++] = part.part();
        numbers[at++] = part.start();
        numbers[at++] = part.position();
        numbers[at++] = part.done() ? 1 : 0;
        numbers[at++] = part.late();
      }
    }
    return numbers;
  }

  /** The offset from which the partition is to be read on. */
  long next() {
    return Libhubbub.speedNext(pointer());
  }

  /** Counts lines, of which line i has the offset at + i; what must be written meanwhile is added to rows. */
  void take(long at, byte[] lines, long now, List<byte[]> rows) {
    if (buffer.capacity() < lines.length) {
      buffer = ByteBuffer.allocateDirect(lines.length);
    }
    buffer.clear().put(lines);
    for (int from = 0; from < lines.length; ) {
      from += Libhubbub.speedTake(pointer(), at, buffer, from, lines.length, now);
      at = next();
      if (from < lines.length) {
        flush(Flush.ROWS, now, rows); // sets memory free
      }
    }
  }

  /** Tells that there is nothing more to take for now, and adds what is to be written. */
  void finish(Flush kind, long now, List<byte[]> rows) {
    Libhubbub.speedCaughtUp(pointer());
    flush(kind, now, rows);
  }

  private void flush(Flush kind, long now, List<byte[]> rows) {
    for (byte[] some; (some = Libhubbub.speedFlush(pointer(), kind.ordinal(), now)) != null; ) {
      rows.add(some);
    }
  }

  byte[] save() {
    return Libhubbub.speedSave(pointer());
  }

  FoldCounts counts() {
    return FoldCounts.of(Libhubbub.speedCounts(pointer()));
  }
}
