package hubbub.spark;

import java.util.Arrays;

/** A run of bytes that grows. */
final class Bytes {
  private byte[] bytes;
  private int size;

  Bytes(int room) {
    bytes = new byte[room];
  }

  void append(byte[] more) {
    reserve(more.length);
    System.arraycopy(more, 0, bytes, size, more.length);
    size += more.length;
  }

  void append(char ascii) {
    reserve(1);
    bytes[size++] = (byte) ascii;
  }

  private void reserve(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
    }
  }

  int size() {
    return size;
  }

  byte[] toArray() {
    return Arrays.copyOf(bytes, size);
  }
}
