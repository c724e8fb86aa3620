package dev.fdfiber.testing;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * A JUnit test of code that works on descriptors. The method may take, in any order and number: a
 * {@link dev.fdfiber.Scheduler}, a {@link Pipe}, a {@link SocketPair}, a {@link Listener}, a {@link
 * TempFifo}, {@link Uncaught}. They are closed afterwards.
 *
 * <p>The method runs on the thread that drives the scheduler. The test fails when
 *
 * <ul>
 *   <li>a fiber of that scheduler ended with an exception, unless the method takes {@link Uncaught}
 *       and looks at them itself;
 *   <li>a fiber is still alive at the end of the method: its name, what it waits for and its stack;
 *   <li>a descriptor is open that was not open before: its number, what it is, and where it was
 *       opened if a fiber of the test did it;
 *   <li>the limit on real time is over: with a dump of everything.
 * </ul>
 *
 * <p>The descriptors of a process are one resource, so these tests do not run beside each other.
 */
@Documented
@Target({ElementType.METHOD, ElementType.ANNOTATION_TYPE})
@Retention(RetentionPolicy.RUNTIME)
@Test
@ExtendWith(FdTestExtension.class)
@ResourceLock("dev.fdfiber.testing: the descriptors of this process")
public @interface FdTest {
  /** How many seconds of real time the test may take. */
  int limitSeconds() default 60;
}
