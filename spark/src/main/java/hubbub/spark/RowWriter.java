package hubbub.spark;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Writes a layer's rows to a Cassandra store.
 *
 * <p>Rows of the speed layer come with the progress of the parts of the log that they are of: it tells their timestamps,
 * and is written when all rows are. Rows of the batch layer have the timestamps of the replacement that they belong to,
 * and their progress is the job's to write.
 */
final class RowWriter implements FlatRows.Visitor, AutoCloseable {
  private static final long DAY = 86400;
  private static final long MINUTE = 60;
  private static final long LATEST_WITHIN = 3 * Progress.HOUR; // seconds that a minute of table latest may be old
  private static final int LATEST_TTL = 6 * 3600;
  private static final int KEY_MAX = 65535;
  private static final int UTF8_MAX = 3; // bytes for each char of a String

  private final Writes writes;
  private final Layer layer;
  private final Stamps batch; // null in the speed layer
  private final Map<Long, Stamps> speed = new HashMap<>(); // by hour
  private final Map<Long, Progress> progress = new LinkedHashMap<>(); // by part: the latest
  private boolean replacing;

  // The subject.
  private String channel;
  private long hour;
  private Stamps stamps;

  private RowWriter(CassandraStore store, Layer layer, Stamps batch) {
    this.writes = new Writes(store);
    this.layer = layer;
    this.batch = batch;
  }

  static RowWriter speed(CassandraStore store) {
    return new RowWriter(store, Layer.SPEED, null);
  }

  /** All of a channel's hour is replaced, of those that have a sheet. */
  static RowWriter batch(CassandraStore store, Stamps stamps) {
    RowWriter writer = new RowWriter(store, Layer.BATCH, stamps);
    writer.replacing = true;
    return writer;
  }

  /** Begins to write rows as libhubbub hands them over: of one transaction of the speed layer, or of one sheet. */
  void write(byte[] rows) {
    if (layer == Layer.SPEED) {
      speed.clear();
      replacing = false;
    }
    FlatRows.read(rows, this);
    writes.flush();
  }

  /** Awaits all rows, and only then writes the progress that came with them. */
  void finish() {
    writes.finish();
    writeProgress(progress.values());
    progress.clear();
  }

  /** Writes progress, and tells those who wait for news. */
  void writeProgress(Collection<Progress> parts) {
    Instant now = Instant.now();
    for (Progress part : parts) {
      writes.put(
          Table.PROGRESS,
          (batch == null ? Stamps.speed(part.position()) : batch).rows(),
          layer.text(),
          part.part(),
          part.start(),
          part.position(),
          part.done(),
          part.late(),
          now);
    }
    writes.finish();
    writes.put(Table.CHANGED, now.toEpochMilli() * 1000, layer.text(), now);
    writes.finish();
  }

  @Override
  public void close() {
    writes.close();
  }

  // ---- What the rows are ----

  @Override
  public void progress(Progress part) {
    progress.put(part.part(), part);
    speed.put(part.hour(), Stamps.speed(part.position()));
  }

  @Override
  public void replace(boolean whole, long replacedHour) {
    replacing = true;
  }

  @Override
  public void subject(String newChannel, long newHour) {
    writes.flush(); // what was gathered is of the subject before
    channel = newChannel;
    hour = newHour;
    stamps = batch == null ? speed.get(newHour) : batch;
    if (stamps == null) {
      throw new HubbubException("rows of an hour came without the position that they were counted up to");
    }
  }

  @Override
  public void minute(FlatRows.Minute row) {
    Instant time = Instant.ofEpochSecond(row.time());
    Instant day = Instant.ofEpochSecond(Math.floorDiv(row.time(), DAY) * DAY);
    long now = Instant.now().getEpochSecond();
    boolean sampled = row.samples() > 0;
    Double viewers = sampled ? (double) row.viewersSum() / row.samples() : null;
    Long samples = sampled ? row.samples() : null;
    String game = sampled ? row.game() : null;
    String title = sampled ? row.title() : null;
    writes.gather(
        Table.WORDCOUNT,
        stamps.rows(),
        channel,
        day,
        time,
        row.messages(),
        row.words(),
        row.chatters(),
        row.shared(),
        row.newChatters(),
        row.subscriberMessages(),
        layer.text());
    if (sampled) {
      writes.gather(
          Table.VIEWERS, stamps.rows(), channel, day, time, viewers, samples, game, title, layer.text());
    }
    if (row.time() >= now - LATEST_WITHIN) {
      int ahead = (int) Math.min(Math.max(0, row.time() - now), DAY);
      writes.put(
          Table.LATEST,
          stamps.rows(),
          time,
          channel,
          row.messages(),
          row.words(),
          row.chatters(),
          row.shared(),
          row.newChatters(),
          row.subscriberMessages(),
          viewers,
          samples,
          game,
          title,
          layer.text(),
          LATEST_TTL + ahead);
    }
  }

  @Override
  public void word(boolean gone, String kind, long count, String word) {
    if (!fitsKey(word)) {
      return;
    }
    if (gone) {
      writes.gather(Table.WORDFREQ_GONE, stamps.rows(), channel, hourTime(), kind, word);
    } else {
      writes.gather(Table.WORDFREQ, stamps.rows(), channel, hourTime(), kind, word, count, layer.text());
    }
  }

  @Override
  public void user(boolean gone, FlatRows.User user) {
    if (!fitsKey(user.id())) {
      return;
    }
    if (gone) {
      writes.gather(Table.MSGPERUSER_GONE, stamps.rows(), channel, hourTime(), user.id());
    } else {
      writes.gather(
          Table.MSGPERUSER,
          stamps.rows(),
          channel,
          hourTime(),
          user.id(),
          user.name(),
          user.messages(),
          user.words(),
          user.minutes(),
          layer.text());
    }
  }

  @Override
  public void sheet(boolean open, int wordsVersion, ByteBuffer sheet) {
    if (replacing) {
      clear(channel, hour, stamps.deletes());
    }
    writes.put(Table.SHEETS, stamps.rows(), channel, hourTime(), sheet, !open, wordsVersion, layer.text());
  }

  @Override
  public void topWord(String kind, int rank, long count, String word) {
    writes.gather(Table.TOPWORDS, stamps.rows(), channel, hourTime(), kind, rank, word, count, layer.text());
  }

  @Override
  public void topUser(int rank, FlatRows.User user) {
    writes.gather(
        Table.TOPUSERS,
        stamps.rows(),
        channel,
        hourTime(),
        rank,
        user.id(),
        user.name(),
        user.messages(),
        user.words(),
        layer.text());
  }

  @Override
  public void channel(long firstSeen, long lastSeen, String roomId) {
    Instant last = Instant.ofEpochSecond(lastSeen);
    if (roomId.isEmpty()) {
      writes.put(Table.LAST_SEEN, lastSeen, channel, last);
    } else {
      writes.put(Table.LAST_SEEN_ROOM, lastSeen, channel, last, roomId);
    }
    writes.put(Table.FIRST_SEEN, Stamps.firstSeen(firstSeen), channel, Instant.ofEpochSecond(firstSeen));
  }

  /** Cassandra takes keys of less than 64 KiB. What is longer stands in the sheet only. */
  private static boolean fitsKey(String text) {
    return text.length() <= KEY_MAX / UTF8_MAX || text.getBytes(StandardCharsets.UTF_8).length <= KEY_MAX;
  }

  private Instant hourTime() {
    return Instant.ofEpochSecond(hour);
  }

  // ---- Replacing ----

  /** Deletes all that the store has of a channel's hour and that is older than this replacement. */
  void clear(String ofChannel, long ofHour) {
    clear(ofChannel, ofHour, batch.deletes());
  }

  private void clear(String ofChannel, long ofHour, long stamp) {
    Instant begin = Instant.ofEpochSecond(ofHour);
    Instant end = Instant.ofEpochSecond(ofHour + Progress.HOUR);
    Instant day = Instant.ofEpochSecond(Math.floorDiv(ofHour, DAY) * DAY);
    writes.put(Table.CLEAR_WORDCOUNT, stamp, ofChannel, day, begin, end);
    writes.put(Table.CLEAR_VIEWERS, stamp, ofChannel, day, begin, end);
    writes.put(Table.CLEAR_WORDFREQ, stamp, ofChannel, begin);
    writes.put(Table.CLEAR_MSGPERUSER, stamp, ofChannel, begin);
    writes.put(Table.CLEAR_TOPWORDS, stamp, ofChannel, begin);
    writes.put(Table.CLEAR_TOPUSERS, stamp, ofChannel, begin);
    writes.put(Table.CLEAR_SHEETS, stamp, ofChannel, begin);
    long oldest = Instant.now().getEpochSecond() - LATEST_WITHIN - LATEST_TTL; // older rows have died by themselves
    for (long minute = ofHour; minute < ofHour + Progress.HOUR; minute += MINUTE) {
      if (minute >= oldest) {
        writes.put(Table.CLEAR_LATEST, stamp, Instant.ofEpochSecond(minute), ofChannel);
      }
    }
  }
}
