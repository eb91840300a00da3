package hubbub.spark;

import com.datastax.oss.driver.api.core.ConsistencyLevel;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchableStatement;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Statement;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;

/**
 * Writes to Cassandra, many at a time but not more than a bound, until {@link #finish}. A write that fails is done again:
 * each says its own timestamp, so that it may be done twice, and in any order.
 *
 * <p>Rows of one partition go together as a batch, which costs Cassandra little more than one row.
 */
final class Writes implements AutoCloseable {
  private static final int IN_FLIGHT = 64;
  private static final int BATCH_BYTES = 4096; // Cassandra warns of batches over 5 KiB
  private static final int ROW_BYTES = 48; // about what a row takes beside its texts

  private final CassandraStore store;
  private final CqlSession session;
  private final ConsistencyLevel consistency;
  private final Map<Table, PreparedStatement> prepared = new EnumMap<>(Table.class);
  private final Map<Table, Pending> pending = new EnumMap<>(Table.class);
  private final Semaphore free = new Semaphore(IN_FLIGHT);
  private final Queue<Statement<?>> failed = new ConcurrentLinkedQueue<>();
  private volatile Throwable failure;

  /** Rows of one partition of a table that wait to be sent together, with one timestamp. */
  private static final class Pending {
    final List<BatchableStatement<?>> rows = new ArrayList<>();
    long stamp;
    int bytes;
  }

  Writes(CassandraStore store) {
    this.store = store;
    this.session = store.open();
    this.consistency =
        DefaultConsistencyLevel.valueOf(
            store.address().settings().getOrDefault("consistency", "LOCAL_QUORUM").toUpperCase(Locale.ROOT));
  }

  /** Writes one row, or deletes. */
  void put(Table table, long stamp, Object... values) {
    send(bind(table, values).setQueryTimestamp(stamp));
  }

  /**
   * Writes a row together with others of the same partition: all that come for this table until {@link #flush} are of one.
   */
  void gather(Table table, long stamp, Object... values) {
    Pending mine = pending.computeIfAbsent(table, key -> new Pending());
    int bytes = ROW_BYTES;
    for (Object value : values) {
      bytes += value instanceof String text ? text.length() : 0;
    }
    if (!mine.rows.isEmpty() && (mine.stamp != stamp || mine.bytes + bytes > BATCH_BYTES)) {
      flush(mine);
    }
    mine.stamp = stamp;
    mine.bytes += bytes;
    mine.rows.add(bind(table, values));
  }

  /** Sends what was gathered. */
  void flush() {
    for (Pending each : pending.values()) {
      flush(each);
    }
  }

  private void flush(Pending each) {
    if (each.rows.isEmpty()) {
      return;
    }
    send(
        BatchStatement.newInstance(DefaultBatchType.UNLOGGED, new ArrayList<>(each.rows))
            .setQueryTimestamp(each.stamp)
            .setConsistencyLevel(consistency)
            .setIdempotent(true));
    each.rows.clear();
    each.bytes = 0;
  }

  private BoundStatement bind(Table table, Object... values) {
    PreparedStatement statement =
        prepared.computeIfAbsent(
            table,
            key ->
                Patience.with(
                    "prepare a statement at " + store.address(), () -> session.prepare(key.statement(store))));
    return statement.bind(values).setConsistencyLevel(consistency).setIdempotent(true);
  }

  private void send(Statement<?> statement) {
    if (!failed.isEmpty()) {
      recover();
    }
    dispatch(statement);
  }

  private void dispatch(Statement<?> statement) {
    free.acquireUninterruptibly();
    session
        .executeAsync(statement)
        .whenComplete(
            (result, error) -> {
              if (error != null) {
                failure = error;
                failed.add(statement);
              }
              free.release();
            });
  }

  /** Sends and awaits everything. */
  void finish() {
    flush();
    awaitAll();
    if (!failed.isEmpty()) {
      recover();
    }
  }

  private void awaitAll() {
    free.acquireUninterruptibly(IN_FLIGHT);
    free.release(IN_FLIGHT);
  }

  /** Sends what has failed again, until nothing is left of it. */
  private void recover() {
    String what = "write to " + store.address();
    long end = System.currentTimeMillis() + Patience.MILLISECONDS;
    awaitAll();
    for (int attempt = 0; !failed.isEmpty(); attempt++) {
      if (!Patience.mayPass(failure) || System.currentTimeMillis() >= end) {
        throw new HubbubException("cannot " + what + ": " + failure.getMessage(), failure);
      }
      Patience.pause(what, attempt, failure);
      List<Statement<?>> again = new ArrayList<>();
      for (Statement<?> statement; (statement = failed.poll()) != null; ) {
        again.add(statement);
      }
      again.forEach(this::dispatch);
      awaitAll();
    }
  }

  /** Gives the session back; what was not finished may or may not be written. */
  @Override
  public void close() {
    session.close();
  }
}
