package hubbub.spark;

import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.DriverTimeoutException;
import com.datastax.oss.driver.api.core.auth.AuthenticationException;
import com.datastax.oss.driver.api.core.connection.ClosedConnectionException;
import com.datastax.oss.driver.api.core.connection.HeartbeatException;
import com.datastax.oss.driver.api.core.servererrors.QueryExecutionException;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waiting for a Cassandra that is away. A task that failed each time would be given up by Spark after four times, within
 * seconds, and the whole job with it; so tasks wait where they are.
 */
final class Patience {
  /** As long as it may be away. */
  static final long MILLISECONDS = Long.getLong("hubbub.patience", 10 * 60 * 1000L);

  private static final long PAUSE_MIN = 100;
  private static final long PAUSE_MAX = 2000;
  private static final Logger LOG = LoggerFactory.getLogger(Patience.class);

  private Patience() {}

  /** Does something again and again until it succeeds, or fails in a way that waiting does not help. */
  static <T> T with(String what, Callable<T> work) {
    long end = System.currentTimeMillis() + MILLISECONDS;
    for (int attempt = 0; ; attempt++) {
      try {
        return work.call();
      } catch (Exception e) {
        if (!mayPass(e) || System.currentTimeMillis() >= end) {
          throw new HubbubException("cannot " + what + ": " + e.getMessage(), e);
        }
        pause(what, attempt, e);
      }
    }
  }

  /** Waits a little, longer each time, and says so the first time. */
  static void pause(String what, int attempt, Throwable why) {
    if (attempt == 0) {
      LOG.warn("cannot {} ({}); trying on", what, why.getMessage());
    }
    try {
      Thread.sleep(Math.min(PAUSE_MAX, PAUSE_MIN << Math.min(attempt, 10)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HubbubException("told to stop while trying to " + what, e);
    }
  }

  /** Whether the same may succeed later: no node, no answer, too much to do; but not a wrong password or statement. */
  static boolean mayPass(Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof AuthenticationException) {
        return false;
      }
    }
    return error instanceof AllNodesFailedException
        || error instanceof DriverTimeoutException
        || error instanceof QueryExecutionException
        || error instanceof ClosedConnectionException
        || error instanceof HeartbeatException
        || error instanceof IOException;
  }
}
