package hubbub.spark;

import java.util.concurrent.TimeoutException;
import org.apache.spark.sql.streaming.StreamingQuery;
import sun.misc.Signal;

/**
 * Being told to stop, by Ctrl-C or by a service's stop. Without this, Spark would shut down in the midst of a micro-batch:
 * exact, but with sheets that are a minute older than their rows.
 */
final class Stop {
  private static final long PATIENCE_MS = 1000; // Ctrl-C arrives twice: from the terminal, and from hubbub

  private StreamingQuery query;
  private long wantedSince;

  private Stop() {}

  static Stop onSignals() {
    Stop stop = new Stop();
    for (String name : new String[] {"INT", "TERM"}) {
      Signal.handle(new Signal(name), signal -> stop.want(128 + signal.getNumber()));
    }
    return stop;
  }

  private synchronized void want(int exitCode) {
    long now = System.currentTimeMillis();
    if (wantedSince == 0) {
      wantedSince = now;
      stopQuery();
    } else if (now > wantedSince + PATIENCE_MS) {
      Runtime.getRuntime().halt(exitCode); // it takes too long for whoever asks
    }
  }

  synchronized boolean wanted() {
    return wantedSince != 0;
  }

  /** What is to be stopped; at once, if that was wanted before. */
  synchronized void stops(StreamingQuery running) {
    query = running;
    if (wanted()) {
      stopQuery();
    }
  }

  /** Not in the thread that signals come in. */
  private void stopQuery() {
    StreamingQuery stopping = query;
    if (stopping != null) {
      new Thread(() -> stop(stopping), "stop").start();
    }
  }

  private static void stop(StreamingQuery query) {
    try {
      query.stop();
    } catch (TimeoutException e) {
      Runtime.getRuntime().halt(1);
    }
  }
}
