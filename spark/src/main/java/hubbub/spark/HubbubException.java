package hubbub.spark;

/** Something that hubbub cannot do, in one sentence for a person: what failed, on what, and why. */
public final class HubbubException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public HubbubException(String message) {
    super(message);
  }

  public HubbubException(String message, Throwable cause) {
    super(message, cause);
  }
}
