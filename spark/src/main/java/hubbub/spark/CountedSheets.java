package hubbub.spark;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.LongPredicate;

/** What a task has counted: the sheets of some hours, encoded one by one, and at the end the report. */
final class CountedSheets implements Iterator<Counted> {
  private final Iterator<Sheet> sheets;
  private final LongPredicate hours;
  private Counted.Report report;
  private Counted next;

  CountedSheets(Fold fold, LongPredicate hours, int task, List<Progress> parts) {
    this.report = new Counted.Report(task, parts, fold.counts());
    this.sheets = fold.sheets();
    this.hours = hours;
    advance();
  }

  /** Sheets of other hours come of facts that stand where they do not belong; they are counted nowhere. */
  private void advance() {
    next = null;
    while (next == null && sheets.hasNext()) {
      Sheet sheet = sheets.next();
      if (hours.test(sheet.hour())) {
        next = new Counted.OfSheet(sheet);
      }
    }
    if (next == null) {
      next = report;
      report = null;
    }
  }

  @Override
  public boolean hasNext() {
    return next != null;
  }

  @Override
  public Counted next() {
    if (next == null) {
      throw new NoSuchElementException();
    }
    Counted given = next;
    advance();
    return given;
  }
}
