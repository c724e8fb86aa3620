package dev.fdfiber;

import java.time.Duration;

/**
 * The deadline of one scope, and how far the news has come to the scope's owner that it has passed.
 * All of it is the owner's and the driver's.
 */
final class ScopeDeadline extends Alarms.Alarm {
  /** How far the news of an expired deadline has come. */
  private enum Expiry {
    /** The deadline has not passed. */
    NONE,
    /** The owner is in a shield that began later. */
    WAITING,
    /** The owner was interrupted for it. */
    SENT,
    /** It was thrown as TimeoutException, or taken back. */
    SETTLED
  }

  private final Loop loop;
  private final String scope;
  private final Runnable onExpiry;
  private String limit = "";
  private Expiry expiry = Expiry.NONE;
  private boolean seen; // a wait of the owner has thrown it

  /** A scope that has none, until it is set. */
  ScopeDeadline(Loop loop, String scope, Runnable onExpiry) {
    this.loop = loop;
    this.scope = scope;
    this.onExpiry = onExpiry;
  }

  /** Sets it; one that has passed already expires here. */
  void set(Duration time) {
    limit = time.toString();
    long nanos = Times.limitNanos(time);
    if (nanos == 0) {
      loop.alarms.set(this, loop.clock.nanoTime());
      loop.alarms.cancel(this);
      ring();
    } else if (nanos > 0) {
      loop.alarms.set(this, loop.clock.nanoTime() + nanos);
    }
  }

  void cancel() {
    loop.alarms.cancel(this);
  }

  @Override
  void ring() {
    onExpiry.run();
  }

  String expiredMessage() {
    return scope + ": its deadline, " + limit + " after it was opened, has passed";
  }

  // ---- the news

  boolean hasPassed() {
    return expiry != Expiry.NONE;
  }

  void interruptWaits() {
    expiry = Expiry.WAITING;
  }

  boolean isInterruptWaiting() {
    return expiry == Expiry.WAITING;
  }

  void interruptSent() {
    expiry = Expiry.SENT;
  }

  boolean isInterruptOpen() {
    return expiry == Expiry.SENT;
  }

  void interruptSeen() {
    seen = true;
  }

  boolean wasInterruptSeen() {
    return seen;
  }

  void interruptSettled() {
    expiry = Expiry.SETTLED;
  }
}
