package hubbub.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** libhubbub through JNI: the same sheets as in C, and no way to bring it down. */
class FoldTest {
  static final long HOUR = 1764000000;

  @TempDir Path folder;

  /** A message of a channel. */
  static byte[] message(String channel, long time, int id, String user, String text) {
    return ("@rm-received-ts=" + time + ";tmi-sent-ts=" + time + ";id=" + id + ";user-id=" + user
            + ";room-id=1 :" + user + "!u@u PRIVMSG #" + channel + " :" + text)
        .getBytes(StandardCharsets.UTF_8);
  }

  /** When a message was sent. */
  static long time(byte[] line) {
    String text = new String(line, StandardCharsets.UTF_8);
    int from = text.indexOf("tmi-sent-ts=") + "tmi-sent-ts=".length();
    return Long.parseLong(text.substring(from, text.indexOf(';', from)));
  }

  /** Chat of some channels in some hours, with every tenth message twice. */
  static List<byte[]> chat(int count, long seed) {
    Random dice = new Random(seed);
    List<byte[]> lines = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String text = "word" + dice.nextInt(50) + " \u00e4\u00f6 \ud83d\ude00 Kappa" + dice.nextInt(3);
      lines.add(
          message("chan" + dice.nextInt(5), HOUR * 1000 + i * 7200_000L / count, i, "u" + dice.nextInt(40), text));
      if (dice.nextInt(10) == 0) {
        lines.add(lines.get(dice.nextInt(lines.size())));
      }
    }
    return lines;
  }

  private static Map<Sheet.Key, byte[]> fold(List<byte[]> lines) {
    Map<Sheet.Key, byte[]> sheets = new HashMap<>();
    try (Fold fold = new Fold()) {
      lines.forEach(fold::add);
      fold.sheets().forEachRemaining(sheet -> sheets.put(sheet.key(), sheet.encoded()));
    }
    return sheets;
  }

  @Test
  void countsAsTheProgramDoes() throws Exception {
    String hubbub = System.getProperty("hubbub", "");
    assumeTrue(!hubbub.isEmpty(), "run with -Dhubbub=PROGRAM");
    List<byte[]> lines = chat(20000, 1);
    Path file = folder.resolve("chat.irc");
    write(file, lines);
    run(hubbub, "import", "--data", folder.toString(), file.toString());
    run(hubbub, "batch", "--data", folder.toString());
    String rows =
        run("sqlite3", folder.resolve("hubbub.db").toString(), "select channel, hour, hex(sheet) from sheets");
    Map<Sheet.Key, byte[]> sheets = fold(lines);
    assertEquals(10, sheets.size());
    assertEquals(sheets.size(), rows.lines().count());
    for (String row : rows.lines().toList()) {
      String[] columns = row.split("\\|");
      assertArrayEquals(
          HexFormat.of().parseHex(columns[2].toLowerCase()),
          sheets.get(new Sheet.Key(columns[0], Long.parseLong(columns[1]))));
    }
  }

  static void write(Path file, List<byte[]> lines) throws IOException {
    Bytes text = new Bytes(1 << 20);
    for (byte[] line : lines) {
      text.append(line);
      text.append('\n');
    }
    Files.write(file, text.toArray());
  }

  private static String run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), String.join(" ", command));
    return out;
  }

  @Test
  void partsOfAnHourAddUpToIt() {
    List<byte[]> lines = chat(5000, 2);
    List<byte[]> unique = new ArrayList<>(new java.util.LinkedHashSet<>(lines)); // no id in both parts
    Map<Sheet.Key, byte[]> whole = fold(unique);
    Map<Sheet.Key, byte[]> first = fold(unique.subList(0, unique.size() / 2));
    Map<Sheet.Key, byte[]> second = fold(unique.subList(unique.size() / 2, unique.size()));
    for (Map.Entry<Sheet.Key, byte[]> sheet : whole.entrySet()) {
      byte[] one = first.get(sheet.getKey());
      byte[] other = second.get(sheet.getKey());
      assertArrayEquals(
          sheet.getValue(), one == null ? other : other == null ? one : Libhubbub.sheetMerge(other, one));
    }
  }

  @Test
  void tellsWhatItMet() {
    try (Fold fold = new Fold()) {
      fold.add(message("chan", HOUR * 1000, 1, "u", "a b"));
      fold.add(message("chan", HOUR * 1000, 1, "u", "a b"));
      fold.add("PING".getBytes(StandardCharsets.US_ASCII));
      fold.add(new byte[LineBuffer.SIZE + 5]);
      assertEquals(new FoldCounts(4, 2, 1, 0, 2, 1, 1, 1, 0, 0, 0), fold.counts());
    }
  }

  @Test
  void takesAnyBytes() {
    Random dice = new Random(3);
    try (Fold fold = new Fold()) {
      for (int i = 0; i < 20000; i++) {
        byte[] line = new byte[dice.nextInt(200)];
        dice.nextBytes(line);
        fold.add(line);
      }
      assertTrue(fold.counts().lines() >= 20000);
      assertFalse(fold.sheets().hasNext());
    }
  }

  @Test
  void refusesWhatIsNoSheet() {
    byte[] good = fold(chat(500, 4)).values().iterator().next();
    assertTrue(Libhubbub.sheetRows(good, 100).length > 0);
    assertThrows(HubbubException.class, () -> Libhubbub.sheetRows(new byte[0], 100));
    for (int i = 0; i < good.length; i += 7) {
      byte[] bad = good.clone();
      bad[i] ^= 1;
      assertThrows(HubbubException.class, () -> Libhubbub.sheetRows(bad, 100));
      assertThrows(HubbubException.class, () -> Libhubbub.sheetMerge(good, bad));
    }
    assertThrows(HubbubException.class, () -> Libhubbub.speedOpen(0, 100, 1 << 30, good, new long[0]));
  }

  @Test
  void refusesSheetsOfDifferentChannels() {
    List<byte[]> sheets = new ArrayList<>(fold(chat(500, 4)).values());
    assertThrows(HubbubException.class, () -> Libhubbub.sheetMerge(sheets.get(0), sheets.get(1)));
  }

  @Test
  void isNotUsedOnceClosed() {
    Fold fold = new Fold();
    fold.close();
    fold.close();
    assertThrows(IllegalStateException.class, fold::counts);
    assertThrows(
        IllegalArgumentException.class,
        () -> {
          try (Fold other = new Fold()) {
            Libhubbub.foldLines(other.pointer(), ByteBuffer.allocate(10), 10); // not direct
          }
        });
  }
}
