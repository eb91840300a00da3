package hubbub.spark;

import java.nio.ByteBuffer;

/**
 * Lines on their way to C: collected in a direct buffer, so that thousands go with one call and none is copied there.
 * Whoever fills it hands the buffer on, and clears it, when it refuses a line.
 */
final class LineBuffer {
  static final int SIZE = 4 << 20;

  private ByteBuffer bytes = ByteBuffer.allocateDirect(SIZE);

  /** Adds a line without its LF. False: it does not fit beside those that are here. */
  boolean add(byte[] line) {
    if (line.length >= bytes.remaining()) {
      if (bytes.position() > 0) {
        return false;
      }
      bytes = ByteBuffer.allocateDirect(line.length + 1); // a line of its own size; C counts it as malformed
    }
    bytes.put(line).put((byte) '\n');
    return true;
  }

  boolean isEmpty() {
    return bytes.position() == 0;
  }

  ByteBuffer bytes() {
    return bytes;
  }

  int size() {
    return bytes.position();
  }

  void clear() {
    bytes.clear();
  }
}
