package hubbub.spark;

import java.io.Serializable;

/** What a fold met: {@code hb_fold_counts} in hubbub.h explains the numbers. */
public record FoldCounts(
    long lines,
    long facts,
    long messages,
    long shared,
    long words,
    long duplicates,
    long others,
    long malformed,
    long badTimestamps,
    long badUtf8,
    long untaken)
    implements Serializable {

  public static final FoldCounts NONE = new FoldCounts(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

  static FoldCounts of(long[] numbers) {
    return new FoldCounts(
        numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7], numbers[8],
        numbers[9], numbers[10]);
  }

  public FoldCounts plus(FoldCounts other) {
    return new FoldCounts(
        lines + other.lines,
        facts + other.facts,
        messages + other.messages,
        shared + other.shared,
        words + other.words,
        duplicates + other.duplicates,
        others + other.others,
        malformed + other.malformed,
        badTimestamps + other.badTimestamps,
        badUtf8 + other.badUtf8,
        untaken + other.untaken);
  }
}
