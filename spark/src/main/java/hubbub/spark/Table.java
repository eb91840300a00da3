package hubbub.spark;

/** The statements that write rows. Columns stand in the order in which {@link RowWriter} binds them. */
enum Table {
  WORDCOUNT("wordcount", "channel, day, minute, messages, words, chatters, shared, new_chatters, subscriber_messages, layer"),
  VIEWERS("viewers", "channel, day, minute, viewers, samples, game, title, layer"),
  LATEST(
      "latest",
      "minute, channel, messages, words, chatters, shared, new_chatters, subscriber_messages, "
          + "viewers, samples, game, title, layer",
      " USING TTL ?"),
  WORDFREQ("wordfreq", "channel, hour, kind, word, count, layer"),
  WORDFREQ_GONE("wordfreq", null, "channel = ? AND hour = ? AND kind = ? AND word = ?"),
  MSGPERUSER("msgperuser", "channel, hour, user_id, user_name, messages, words, minutes, layer"),
  MSGPERUSER_GONE("msgperuser", null, "channel = ? AND hour = ? AND user_id = ?"),
  TOPWORDS("topwords", "channel, hour, kind, rank, word, count, layer"),
  TOPUSERS("topusers", "channel, hour, rank, user_id, user_name, messages, words, layer"),
  SHEETS("sheets", "channel, hour, sheet, closed, words_version, layer"),
  LAST_SEEN("channels", "channel, last_seen"),
  LAST_SEEN_ROOM("channels", "channel, last_seen, room_id"),
  FIRST_SEEN("channels", "channel, first_seen"),
  PROGRESS("progress", "layer, part, start, position, done, late, at"),
  CHANGED("progress", "layer, changed"),

  CLEAR_WORDCOUNT("wordcount", null, "channel = ? AND day = ? AND minute >= ? AND minute < ?"),
  CLEAR_VIEWERS("viewers", null, "channel = ? AND day = ? AND minute >= ? AND minute < ?"),
  CLEAR_LATEST("latest", null, "minute = ? AND channel = ?"),
  CLEAR_WORDFREQ("wordfreq", null, "channel = ? AND hour = ?"),
  CLEAR_MSGPERUSER("msgperuser", null, "channel = ? AND hour = ?"),
  CLEAR_TOPWORDS("topwords", null, "channel = ? AND hour = ?"),
  CLEAR_TOPUSERS("topusers", null, "channel = ? AND hour = ?"),
  CLEAR_SHEETS("sheets", null, "channel = ? AND hour = ?");

  private final String name;
  private final String columns; // null: a DELETE
  private final String rest;

  Table(String name, String columns) {
    this(name, columns, "");
  }

  Table(String name, String columns, String rest) {
    this.name = name;
    this.columns = columns;
    this.rest = rest;
  }

  /** The statement in CQL; table: the table's full name. */
  String statement(CassandraStore store) {
    if (columns == null) {
      return "DELETE FROM " + store.table(name) + " WHERE " + rest;
    }
    String marks = columns.replaceAll("[a-z_]+", "?");
    return "INSERT INTO " + store.table(name) + " (" + columns + ") VALUES (" + marks + ")" + rest;
  }
}
