package dev.fdfiber;

import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.AbstractSelector;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tells when a thread is interrupted that stands between {@link #enter} and {@link #leave}: never a
 * real selector, but the JDK's one public hook into {@link Thread#interrupt}. Mounting and
 * unmounting a virtual thread clear the carrier's interrupt status, so looking at the status is not
 * enough.
 *
 * <p>The hook is a field of the thread, and the JDK's own channels use it too. A fiber need not set
 * and clear it, under a lock, each time that it suspends: where the field can be read it stays set
 * from the first time on, and {@link #stay} sets it again when it is gone. An interrupt that nobody
 * waits for then runs the action in vain.
 *
 * <p>The action runs on the interrupting thread, at the latest when {@code enter} finds the status
 * set; in newer JDKs possibly only after {@code leave}. It must take no lock and never throw.
 */
final class Interrupts extends AbstractSelector {
  private final Runnable action;
  private @Nullable Object hook; // what begin() leaves in the thread, where that can be seen

  // No provider: this selector never makes a key.
  @SuppressWarnings("NullAway")
  Interrupts(Runnable action) {
    super(null);
    this.action = action;
  }

  void enter() {
    begin();
  }

  void leave() {
    end();
  }

  /** Enters, if the calling thread is not in yet, and stays where that can be seen. */
  @SuppressWarnings("ReferenceEquality") // the hook is itself alone
  void stay() {
    Thread me = Thread.currentThread();
    if (hook == null || VirtualThreads.blockerOf(me) != hook) {
      enter();
      hook = VirtualThreads.blockerOf(me);
    }
  }

  /** Leaves, unless this stays. */
  void leaveUnlessStaying() {
    if (hook == null) {
      leave();
    }
  }

  @Override
  public Selector wakeup() {
    action.run();
    return this;
  }

  @Override
  protected void implCloseSelector() {}

  @Override
  protected SelectionKey register(AbstractSelectableChannel channel, int ops, Object attachment) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Set<SelectionKey> keys() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Set<SelectionKey> selectedKeys() {
    throw new UnsupportedOperationException();
  }

  @Override
  public int selectNow() {
    throw new UnsupportedOperationException();
  }

  @Override
  public int select(long timeout) {
    throw new UnsupportedOperationException();
  }

  @Override
  public int select() {
    throw new UnsupportedOperationException();
  }
}
