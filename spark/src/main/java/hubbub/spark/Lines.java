package hubbub.spark;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/** Whole lines of a stream. What follows the last LF is not whole yet, and left out. */
final class Lines implements AutoCloseable {
  private static final int SIZE = 1 << 20;

  private final InputStream in;
  private byte[] bytes = new byte[SIZE];
  private int from;
  private int to;
  private long position;

  Lines(InputStream in) {
    this.in = in;
  }

  /** The next line without its LF; null at the end. */
  byte[] next() throws IOException {
    for (int looked = from; ; ) {
      for (; looked < to; looked++) {
        if (bytes[looked] == '\n') {
          byte[] line = Arrays.copyOfRange(bytes, from, looked);
          position += line.length + 1;
          from = looked + 1;
          return line;
        }
      }
      int shift = from;
      if (!fill()) {
        return null;
      }
      looked -= shift - from;
    }
  }

  private boolean fill() throws IOException {
    System.arraycopy(bytes, from, bytes, 0, to - from);
    to -= from;
    from = 0;
    if (to == bytes.length) {
      bytes = Arrays.copyOf(bytes, 2 * bytes.length);
    }
    int count = in.read(bytes, to, bytes.length - to);
    to += Math.max(0, count);
    return count > 0;
  }

  /** Bytes of the lines so far. */
  long position() {
    return position;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
