package hubbub.spark;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Reads rows as libhubbub hands them over: the format is described in hubbub.h, under "Rows". */
final class FlatRows {
  private static final int PROGRESS = 1;
  private static final int REPLACE = 2;
  private static final int SUBJECT = 3;
  private static final int MINUTE = 4;
  private static final int WORD = 5;
  private static final int USER = 6;
  private static final int SHEET = 7;
  private static final int TOP_WORD = 8;
  private static final int TOP_USER = 9;
  private static final int CHANNEL = 10;

  private static final String[] KINDS = {"word", "emote", "emoji", "mention", "link", "command"};

  private final ByteBuffer bytes;

  private FlatRows(byte[] rows) {
    bytes = ByteBuffer.wrap(rows).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Shows all rows to the visitor, in the order in which they stand. */
  static void read(byte[] rows, Visitor visitor) {
    FlatRows reader = new FlatRows(rows);
    while (reader.bytes.hasRemaining()) {
      reader.readRow(visitor);
    }
  }

  private void readRow(Visitor to) {
    int sort = bytes.get();
    switch (sort) {
      case PROGRESS -> to.progress(new Progress(number(), number(), number(), flag(), number()));
      case REPLACE -> to.replace(flag(), number());
      case SUBJECT -> to.subject(text(), number());
      case MINUTE ->
          to.minute(
              new Minute(
                  number(),
                  number(),
                  number(),
                  number(),
                  number(),
                  number(),
                  number(),
                  number(),
                  number(),
                  text(),
                  text()));
      case WORD -> to.word(flag(), kind(), number(), text());
      case USER -> to.user(flag(), new User(number(), number(), number(), text(), text()));
      case SHEET -> to.sheet(flag(), bytes.getInt(), blob());
      case TOP_WORD -> to.topWord(kind(), bytes.getInt(), number(), text());
      case TOP_USER -> to.topUser(bytes.getInt(), new User(number(), number(), 0, text(), text()));
      case CHANNEL -> to.channel(number(), number(), text());
      default -> throw new HubbubException("libhubbub handed over a row of a sort that this jar does not know: " + sort);
    }
  }

  private long number() {
    return bytes.getLong();
  }

  private boolean flag() {
    return bytes.get() != 0;
  }

  private String kind() {
    return KINDS[bytes.get()];
  }

  private String text() {
    int size = bytes.getInt();
    String text = new String(bytes.array(), bytes.position(), size, StandardCharsets.UTF_8);
    bytes.position(bytes.position() + size);
    return text;
  }

  private ByteBuffer blob() {
    int size = bytes.getInt();
    ByteBuffer blob = bytes.slice(bytes.position(), size);
    bytes.position(bytes.position() + size);
    return blob;
  }

  /** A minute of a channel; times are Unix seconds. */
  record Minute(
      long time,
      long messages,
      long words,
      long chatters,
      long shared,
      long newChatters,
      long subscriberMessages,
      long viewersSum,
      long samples,
      String game,
      String title) {}

  /** A user in an hour; bit m of minutes is set when the user wrote in minute m. */
  record User(long messages, long words, long minutes, String id, String name) {}

  /** What is told of the rows. Each row is of the latest subject. */
  interface Visitor {
    void progress(Progress progress);

    /** The rows of an hour are to be removed first: of every channel (whole), or of those that have a sheet here. */
    void replace(boolean whole, long hour);

    void subject(String channel, long hour);

    void minute(Minute minute);

    void word(boolean gone, String kind, long count, String word);

    void user(boolean gone, User user);

    void sheet(boolean open, int wordsVersion, ByteBuffer sheet);

    void topWord(String kind, int rank, long count, String word);

    void topUser(int rank, User user);

    void channel(long firstSeen, long lastSeen, String roomId);
  }
}
