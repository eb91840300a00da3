package hubbub.spark;

import java.io.Serializable;

/**
 * How far a layer has read a part of the log ({@code hb_progress} in src/views/changes.h).
 *
 * @param part of a file log the hour in Unix seconds; of a Kafka log the hour + the partition
 * @param start offset of the hour's first fact in the part
 * @param position the offset behind the last fact that is counted
 * @param done the speed layer: the hour is closed, what comes now is late. The batch layer: the part was counted whole
 * @param late facts that came too late for the speed layer
 */
public record Progress(long part, long start, long position, boolean done, long late) implements Serializable {
  static final long HOUR = 3600;

  long hour() {
    return Math.floorDiv(part, HOUR) * HOUR;
  }

  int partition() {
    return (int) Math.floorMod(part, HOUR);
  }
}
