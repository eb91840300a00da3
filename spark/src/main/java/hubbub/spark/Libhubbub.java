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
              + " built with: " + e.getMessage(), e);
    }
  }
}
