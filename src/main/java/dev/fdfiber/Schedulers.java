package dev.fdfiber;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * The schedulers of this JVM, and who observes all of them. Keeps none of them alive. No code of
 * others is called under the lock.
 */
final class Schedulers {
  /**
   * Hears of the recordings of JDK Flight Recorder. Called by its name, because {@code
   * dev.fdfiber.inspect} may use this package and not the other way round; a ServiceLoader would
   * take ten times as long to find it, in every program.
   */
  private static final String FLIGHT_RECORDING = "dev.fdfiber.inspect.FlightRecording";

  private static final List<WeakReference<Scheduler>> MADE = new ArrayList<>();
  private static final List<Everywhere> EVERYWHERE = new ArrayList<>();
  private static final AtomicBoolean IS_LISTENING = new AtomicBoolean();

  private Schedulers() {}

  /** What makes observers for all schedulers, and what it made, which leads back to the keys. */
  private record Everywhere(
      Function<Scheduler, Observer> maker, Map<Scheduler, WeakReference<Observer>> observers) {
    @SuppressWarnings("ReferenceEquality") // a maker is known by its identity
    boolean isBy(Function<Scheduler, Observer> other) {
      return maker == other;
    }
  }

  static void made(Scheduler scheduler) {
    if (!IS_LISTENING.getAndSet(true)) {
      listenToFlightRecorder();
    }
    List<Everywhere> all;
    synchronized (MADE) {
      MADE.removeIf(s -> s.refersTo(null));
      MADE.add(new WeakReference<>(scheduler));
      all = List.copyOf(EVERYWHERE);
    }
    all.forEach(each -> observe(each, scheduler));
  }

  static void closed(Scheduler scheduler) {
    synchronized (MADE) {
      MADE.removeIf(s -> s.refersTo(scheduler));
      EVERYWHERE.forEach(each -> each.observers.remove(scheduler));
    }
  }

  /** Those that are not closed, in the order in which they were made. */
  static List<Scheduler> open() {
    List<Scheduler> open = new ArrayList<>();
    synchronized (MADE) {
      for (WeakReference<Scheduler> made : MADE) {
        Scheduler scheduler = made.get();
        if (scheduler != null) {
          open.add(scheduler);
        }
      }
    }
    return open;
  }

  static void attachToAll(Function<Scheduler, Observer> maker) {
    Everywhere all = new Everywhere(maker, new WeakHashMap<>());
    List<Scheduler> open;
    synchronized (MADE) {
      EVERYWHERE.add(all);
      open = open();
    }
    open.forEach(scheduler -> observe(all, scheduler));
  }

  private static void observe(Everywhere all, Scheduler scheduler) {
    Observer observer;
    try {
      observer = all.maker.apply(scheduler);
    } catch (Throwable t) {
      Reports.makerFailed(scheduler, all.maker, t);
      return;
    }
    WeakReference<Observer> made = new WeakReference<>(observer);
    synchronized (MADE) {
      if (!EVERYWHERE.contains(all) || all.observers.putIfAbsent(scheduler, made) != null) {
        return; // it has ended meanwhile, or another thread was faster
      }
    }
    scheduler.loop().attach(observer);
  }

  static void detachFromAll(Function<Scheduler, Observer> maker) {
    List<Everywhere> ended;
    synchronized (MADE) {
      ended = EVERYWHERE.stream().filter(each -> each.isBy(maker)).toList();
      EVERYWHERE.removeAll(ended);
    }
    ended.forEach(each -> each.observers.forEach(Schedulers::detach));
  }

  private static void detach(Scheduler scheduler, WeakReference<Observer> made) {
    Observer observer = made.get();
    if (observer != null) {
      scheduler.loop().detach(observer);
    }
  }

  private static void listenToFlightRecorder() {
    try {
      Class<?> listener = Class.forName(FLIGHT_RECORDING);
      ((Runnable) listener.getConstructor().newInstance()).run();
    } catch (ReflectiveOperationException | LinkageError e) {
      Reports.noFlightRecorder(e); // as in a runtime without the module jdk.jfr
    }
  }
}
