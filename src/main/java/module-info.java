/**
 * Wait on any file descriptor from Java, in straight-line code: a cooperative scheduler whose
 * fibers are virtual threads carried by one thread, over libc's own calls.
 *
 * <p>{@code dev.fdfiber} is what users import, {@code dev.fdfiber.sock} its socket helpers, {@code
 * dev.fdfiber.fd} its typed descriptors, and {@code dev.fdfiber.kernel} the interface through which
 * every system call goes, exported because {@code Scheduler.builder().kernel(...)} takes one.
 * {@code dev.fdfiber.inspect} shows what fibers do; Micrometer and JDK Flight Recorder are used
 * where they are, and not needed. {@code dev.fdfiber.testing} is for tests, and the only one that
 * JUnit is needed for. The pollers and the generated bindings stay inside.
 *
 * <p>A JVM that runs fibers needs {@code --enable-native-access=dev.fdfiber} and {@code
 * --add-opens=java.base/java.lang=dev.fdfiber}; on the class path {@code ALL-UNNAMED} takes the
 * place of the module.
 */
@SuppressWarnings({
  "requires-automatic",
  "requires-transitive-automatic"
}) // Micrometer has no module-info
module dev.fdfiber {
  requires static transitive org.jspecify;
  requires static transitive org.junit.jupiter.api; // for the tests of users
  requires static transitive micrometer.core; // for MicrometerMetrics
  requires static transitive jdk.jfr; // for its events
  requires java.management; // for the live page, and for what tests leak
  requires jdk.unsupported; // sun.misc.Signal, for what handles signals

  exports dev.fdfiber;
  exports dev.fdfiber.fd;
  exports dev.fdfiber.inspect;
  exports dev.fdfiber.kernel;
  exports dev.fdfiber.sock;
  exports dev.fdfiber.testing;
}
