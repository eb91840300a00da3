package hubbub.spark;

/** Which layer wrote a row. */
enum Layer {
  SPEED,
  BATCH;

  /** As it stands in the tables. */
  String text() {
    return this == SPEED ? "speed" : "batch";
  }
}
