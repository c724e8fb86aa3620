package dev.fdfiber.testing;

import dev.fdfiber.PollerKind;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * A JUnit test of code that works on descriptors, or on a class all of its tests, which then are
 * {@code @Test}, {@code @ParameterizedTest} and the like. The method may take, in any order and
 * number: a {@link dev.fdfiber.Scheduler}, a {@link Pipe}, a {@link SocketPair}, a {@link
 * Listener}, a {@link TempFifo}, a {@link dev.fdfiber.fd.Pty}, with a {@link Program} if one is to
 * run there, which are closed afterwards; a {@link VirtualClock}, which then is the scheduler's
 * clock; {@link Faults}, a {@link Trace}, {@link Uncaught}.
 *
 * <p>The method runs on the thread that drives the scheduler. The test fails when
 *
 * <ul>
 *   <li>a fiber of that scheduler ended with an exception, unless the method takes {@link Uncaught}
 *       and looks at them itself;
 *   <li>a fiber is still alive at the end of the method: its name, what it waits for and its stack;
 *   <li>a descriptor is open that was not open before: its number, what it is, and where it was
 *       opened if a fiber of the test did it;
 *   <li>native memory is not freed that the test allocated, as in an arena that it did not close:
 *       how much; only in a JVM that runs with {@code -XX:NativeMemoryTracking=summary};
 *   <li>all fibers wait, without a timer, and nobody outside can wake one: who waits for what, and
 *       who has the other end;
 *   <li>the limit on real time is over: with a dump of everything.
 * </ul>
 *
 * <p>A {@code @BeforeEach} method of the class may take the same. A method's own annotation counts
 * before its class's.
 *
 * <p>The descriptors of a process are one resource, so these tests do not run beside each other.
 */
@Documented
@Inherited
@Target({ElementType.METHOD, ElementType.TYPE})
@Retention(RetentionPolicy.RUNTIME)
@Test
@ExtendWith(FdTestExtension.class)
@ResourceLock("dev.fdfiber.testing: the descriptors of this process")
public @interface FdTest {
  /** How many seconds of real time a test may take. */
  int limitSeconds() default 60;

  /**
   * How the test's scheduler asks who is ready; by default as any scheduler does, and as {@code
   * -Ddev.fdfiber.poller} says.
   */
  PollerKind poller() default PollerKind.AUTO;

  /**
   * Explores: runs the method with each of the seeds from 1 to this. A seed chooses what the
   * contract leaves open: which ready fiber goes on, timers of one moment included, when readiness
   * is looked for, and which {@link Faults} at random there are. The first failure is run again
   * with fewer and fewer deviations from first in, first out; what it prints replays it. All runs
   * are on the same instance, so a run's state belongs into the method.
   */
  int seeds() default 0;

  /** Replays: runs the method with this seed alone, or with these. */
  long[] seed() default {};

  /** Replays: runs the method with these deviations from first in, first out, as printed. */
  String schedule() default "";
}
