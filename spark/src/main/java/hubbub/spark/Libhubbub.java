package hubbub.spark;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * libhubbub's functions, as {@code native/libhubbub.c} offers them.
 *
 * <p>Handles are pointers: {@link NativeHandle} keeps them from being used after they were closed. Bytes that make no
 * sense are a {@link HubbubException}; lines that make none are counted.
 *
 * <p>The library travels in the jar, and is written to a temporary file once for each JVM. It needs ICU, zstd and xxHash
 * of the system, as hubbub itself does.
 */
final class Libhubbub {
  private static final String LIBRARY = "/native/libhubbub_jni.so";

  static {
    load();
  }

  private Libhubbub() {}

  /** Opens a fold without sheets. */
  static native long foldOpen();

  static native void foldClose(long fold);

  /** Counts the lines, each ended by LF, that are the first {@code size} bytes of a direct buffer. */
  static native void foldLines(long fold, ByteBuffer lines, int size);

  /** The fold's next sheet; null, once, after the last: then the fold has forgotten them all, and their ids. */
  static native Sheet foldNextSheet(long fold);

  /** What the fold met since it was opened, in the order of {@link FoldCounts}. */
  static native long[] foldCounts(long fold);

  /** The sum of two encoded sheets of the same channel and hour. */
  static native byte[] sheetMerge(byte[] one, byte[] other);

  /** The rows of an encoded sheet, as {@link FlatRows} reads them; top 0 means all. */
  static native byte[] sheetRows(byte[] sheet, int top);

  /**
   * Opens the speed layer of a partition of a Kafka log: with a state that {@link #speedSave} has made, or, where that is
   * null, with the progress that the store has (six numbers each: layer, 0 speed or 1 batch; part, start, position, done,
   * late; the batch layer's first).
   */
  static native long speedOpen(int partition, int top, long memory, byte[] state, long[] progress);

  static native void speedClose(long speed);

  /** The offset from which the partition is to be read on. */
  static native long speedNext(long speed);

  /**
   * Counts the lines that stand in a direct buffer between two places; line i has the offset at + i. Returns how many
   * bytes of them were taken: fewer than all when memory is short; then flush, and offer the rest again.
   */
  static native int speedTake(long speed, long at, ByteBuffer lines, int from, int to, long now);

  /** Tells that all that there is for now has been taken; from then on flushes give rows. */
  static native void speedCaughtUp(long speed);

  /**
   * The next rows for the store, as {@link FlatRows} reads them; null when there are none. kind: the ordinal of a {@link
   * Speed.Flush}.
   */
  static native byte[] speedFlush(long speed, int kind, long now);

  /** All that the layer holds; after a flush that gave nothing. */
  static native byte[] speedSave(long speed);

  /** What the layer met since it was opened, in the order of {@link FoldCounts}. */
  static native long[] speedCounts(long speed);

  private static void load() {
    try (InputStream library = Libhubbub.class.getResourceAsStream(LIBRARY)) {
      if (library == null) {
        throw new HubbubException("this jar was built without libhubbub: " + LIBRARY + " is not in it");
      }
      Path file = Files.createTempFile("libhubbub_jni", ".so");
      try {
        Files.copy(library, file, StandardCopyOption.REPLACE_EXISTING);
        System.load(file.toString());
      } finally {
        Files.delete(file); // what is loaded stays
      }
    } catch (IOException e) {
      throw new HubbubException("libhubbub cannot be written to a temporary file: " + e.getMessage(), e);
    } catch (UnsatisfiedLinkError e) {
      throw new HubbubException(
          "libhubbub cannot be loaded on this machine; it needs the packages of ICU, zstd and xxHash that hubbub was"
              + " built with, and a folder for temporary files (java.io.tmpdir) that is not mounted noexec: "
              + e.getMessage(), e);
    }
  }
}
