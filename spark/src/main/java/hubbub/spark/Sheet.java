package hubbub.spark;

import java.io.Serializable;

/** All counts of one channel in one hour (Unix seconds), as libhubbub has encoded them: what Spark shuffles. */
public record Sheet(String channel, long hour, byte[] encoded) implements Serializable {

  /** What sheets are brought together by. */
  public Key key() {
    return new Key(channel, hour);
  }

  /** The sum of two sheets of one channel and hour. */
  public Sheet merge(Sheet other) {
    return new Sheet(channel, hour, Libhubbub.sheetMerge(encoded, other.encoded));
  }

  public record Key(String channel, long hour) implements Serializable {}
}
