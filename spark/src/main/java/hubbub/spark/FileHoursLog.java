package hubbub.spark;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * A log of files on storage that all workers see at the same path: a file an hour, {@code 2026-11-24T13.irc} or, once
 * compressed, {@code .irc.zst}. One task counts an hour, since one id may be anywhere in it.
 */
final class FileHoursLog implements HoursLog {
  private static final DateTimeFormatter NAME = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH");
  private static final String PLAIN = ".irc";
  private static final String COMPRESSED = ".irc.zst";

  private final String folder;

  FileHoursLog(String folder) {
    this.folder = folder;
    if (!Files.isDirectory(Path.of(folder))) {
      throw new HubbubException("there is no log at " + folder);
    }
  }

  @Override
  public Hours due(Hours hours, List<Progress> speed, List<Progress> batch) {
    Set<Long> due = new HashSet<>(list());
    for (Progress part : batch) {
      if (part.done() && part.position() == end(part.part(), due)) {
        due.remove(part.part());
      }
    }
    return hours.only(due);
  }

  @Override
  public Set<Long> broken(Hours hours, List<Progress> speed) {
    return Set.of(); // hours are removed whole
  }

  /** Where an hour's lines end, in bytes; -1 where the hour is not asked for. */
  private long end(long hour, Set<Long> asked) {
    if (!asked.contains(hour)) {
      return -1;
    }
    try (Lines lines = new Lines(open(folder, hour))) {
      while (lines.next() != null) {}
      return lines.position();
    } catch (IOException e) {
      throw unreadable(folder, hour, e);
    }
  }

  @Override
  public JavaRDD<Counted> count(SparkSession spark, Hours hours, List<Progress> speed) {
    List<Long> chosen = new ArrayList<>();
    for (long hour : list()) {
      if (hours.contain(hour)) {
        chosen.add(hour);
      }
    }
    String place = folder;
    return JavaSparkContext.fromSparkContext(spark.sparkContext())
        .parallelize(chosen, Math.max(1, chosen.size()))
        .flatMap(hour -> count(place, hour));
  }

  private static Iterator<Counted> count(String folder, long hour) {
    Fold fold = new Fold();
    long position;
    try (Lines lines = new Lines(open(folder, hour))) {
      for (byte[] line; (line = lines.next()) != null; ) {
        fold.add(line);
      }
      position = lines.position();
    } catch (IOException e) {
      throw unreadable(folder, hour, e);
    }
    Progress part = new Progress(hour, 0, position, true, 0);
    return new CountedSheets(fold, each -> each == hour, (int) (hour / Progress.HOUR), List.of(part));
  }

  private static InputStream open(String folder, long hour) throws IOException {
    String name = NAME.format(LocalDateTime.ofEpochSecond(hour, 0, ZoneOffset.UTC));
    Path compressed = Path.of(folder, name + COMPRESSED);
    return Files.exists(compressed)
        ? new ZstdInputStream(new BufferedInputStream(Files.newInputStream(compressed), 1 << 20))
        : Files.newInputStream(Path.of(folder, name + PLAIN));
  }

  private static HubbubException unreadable(String folder, long hour, IOException why) {
    return new HubbubException(
        "the hour " + NAME.format(LocalDateTime.ofEpochSecond(hour, 0, ZoneOffset.UTC)) + " of the log at " + folder
            + " cannot be read (" + why.getMessage() + "); hubbub batch without --on reads around damage", why);
  }

  /** The hours that there are files of. */
  private Set<Long> list() {
    Set<Long> hours = new TreeSet<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of(folder), "*{" + PLAIN + "," + COMPRESSED + "}")) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        String hour = name.substring(0, name.indexOf(PLAIN));
        hours.add(LocalDateTime.parse(hour + ":00").toEpochSecond(ZoneOffset.UTC));
      }
    } catch (IOException e) {
      throw new HubbubException("the log at " + folder + " cannot be listed: " + e.getMessage(), e);
    }
    return hours;
  }

  @Override
  public Progress settled(Progress read, List<Progress> speed) {
    for (Progress part : speed) {
      if (part.part() == read.part()) {
        return new Progress(read.part(), 0, read.position(), true, part.late());
      }
    }
    return read;
  }

  @Override
  public void close() {}
}
