package hubbub.spark;

import java.lang.ref.Cleaner;
import java.util.function.LongConsumer;
import org.apache.spark.TaskContext;
import org.apache.spark.util.TaskCompletionListener;

/**
 * Something that libhubbub has opened and that must be closed, once.
 *
 * <p>Whoever opens it closes it, at best with try. But the code of a Spark task may end in the midst of an iterator that
 * nobody asks again: when the task fails or is killed. So a handle that is opened in a task is closed by its end at the
 * latest. Where even that does not happen, the garbage collector's news of it does.
 */
abstract class NativeHandle implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();

  private final Resource resource;
  private final Cleaner.Cleanable cleanable;

  NativeHandle(long pointer, LongConsumer close) {
    resource = new Resource(pointer, close);
    cleanable = CLEANER.register(this, resource);
    TaskContext task = TaskContext.get();
    if (task != null) {
      Cleaner.Cleanable closing = cleanable; // not `this`: the task would keep it from the garbage collector
      task.addTaskCompletionListener((TaskCompletionListener) context -> closing.clean());
    }
  }

  /** What libhubbub knows it by. */
  final long pointer() {
    long pointer = resource.pointer;
    if (pointer == 0) {
      throw new IllegalStateException(getClass().getSimpleName() + " is closed");
    }
    return pointer;
  }

  @Override
  public final void close() {
    cleanable.clean();
  }

  /** Does not know its handle, else that would never become garbage. */
  private static final class Resource implements Runnable {
    private final LongConsumer close;
    private volatile long pointer;

    Resource(long pointer, LongConsumer close) {
      this.pointer = pointer;
      this.close = close;
    }

    /** The cleaner sees to it that this runs once. */
    @Override
    public void run() {
      long closing = pointer;
      pointer = 0;
      close.accept(closing);
    }
  }
}
