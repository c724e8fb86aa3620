package dev.fdfiber.testing;

import dev.fdfiber.Clock;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;

/**
 * Native memory that somebody has to free. The JDK counts no arenas; but where Native Memory
 * Tracking runs, the JVM counts what they allocate and have not freed. Elsewhere it is always
 * nothing.
 *
 * <p>What the garbage collector frees, of {@code Arena.ofAuto} and of {@code ByteBuffer}s, is taken
 * off: the JDK counts it itself. What the JDK keeps for the next use, such as a buffer for each
 * thread that has looked at files, belongs to objects on the heap. Counting those takes a
 * collection, and so it is done only when the number is not what it was when they were last
 * counted; else one look takes a fifth of a millisecond. Buffers that are views of other memory are
 * taken for such, too, so that a leak may be missed, but none made up.
 *
 * @param held allocations that are not freed, but for those that the garbage collector frees
 * @param bytes how many bytes they are
 * @param kept those of them that the JDK keeps, but for buffers
 * @param buffers buffers that are not counted as the garbage collector's
 */
record NativeMemory(long held, long bytes, long kept, long buffers) {
  private static final NativeMemory NONE = new NativeMemory(0, 0, 0, 0);

  private static final boolean TRACKED =
      ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
          .anyMatch(argument -> argument.matches("-XX:NativeMemoryTracking=(summary|detail)"));

  private static final BufferPoolMXBean COLLECTED =
      ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
          .filter(pool -> pool.getName().equals("direct"))
          .findFirst()
          .orElseThrow();

  /** What {@code Unsafe.allocateMemory} gave; a JVM where it gave nothing shows no such part. */
  private static final Pattern ALLOCATED =
      Pattern.compile(" Other \\(.*\\)\\s+\\(malloc=(\\d+) (?:tag=\\w+ )?#(\\d+)\\)");

  private static final Pattern CLASS_ON_THE_HEAP =
      Pattern.compile("(?m)^ *\\d+: +(\\d+) +\\d+ +(\\S+)");

  /** Classes of the JDK whose objects have one allocation each, and are kept for the next use. */
  private static final Set<String> KEEPERS =
      Set.of(
          "sun.nio.fs.NativeBuffer",
          "sun.nio.ch.AllocatedNativeObject",
          "sun.nio.ch.EPollPoller", // of virtual threads
          "sun.nio.ch.EPollPort"); // of asynchronous channels

  private static final String BUFFER = "java.nio.DirectByteBuffer";
  private static final String COLLECTED_BUFFER = "java.nio.DirectByteBuffer$Deallocator";

  /** What there was when what the JDK keeps was last counted. */
  private static final AtomicReference<@Nullable NativeMemory> LAST = new AtomicReference<>();

  /** What there is now. */
  static NativeMemory now() {
    if (!TRACKED) {
      return NONE;
    }
    NativeMemory now = look(0, 0);
    NativeMemory last = LAST.get();
    return last != null && last.held == now.held
        ? new NativeMemory(now.held, now.bytes, last.kept, last.buffers)
        : counted();
  }

  /**
   * What there is more than there was here, and the JDK does not keep; nothing if there is not.
   *
   * @param patienceNanos how long it may take to be freed
   */
  NativeMemory leftSince(long patienceNanos) {
    if (!TRACKED || look(0, 0).held <= held) {
      return NONE;
    }
    long start = Clock.system().nanoTime();
    NativeMemory left;
    do {
      left = counted().without(this);
    } while (left.held > 0 && Clock.system().nanoTime() - start < patienceNanos);
    return left.held > 0 ? left : NONE;
  }

  private NativeMemory without(NativeMemory before) {
    long moreKept = Math.max(0, kept - before.kept);
    long moreBuffers = Math.max(0, buffers - before.buffers);
    long left = held - before.held - moreKept - moreBuffers;
    return new NativeMemory(left, bytes - before.bytes, 0, 0);
  }

  /** What there is now, with what the JDK keeps, after a collection. */
  private static NativeMemory counted() {
    long kept = 0;
    long buffers = 0;
    Matcher line = CLASS_ON_THE_HEAP.matcher(diagnose("gcClassHistogram"));
    while (line.find()) {
      long objects = Long.parseLong(line.group(1));
      String type = line.group(2);
      kept += KEEPERS.contains(type) ? objects : 0;
      buffers += type.equals(BUFFER) ? objects : type.equals(COLLECTED_BUFFER) ? -objects : 0;
    }
    NativeMemory counted = look(kept, buffers);
    LAST.set(counted);
    return counted;
  }

  private static NativeMemory look(long kept, long buffers) {
    while (true) {
      long collected = COLLECTED.getCount();
      Matcher allocated = ALLOCATED.matcher(diagnose("vmNativeMemory", "summary", "scale=b"));
      boolean any = allocated.find();
      long held = (any ? Long.parseLong(allocated.group(2)) : 0) - collected;
      long bytes = (any ? Long.parseLong(allocated.group(1)) : 0) - COLLECTED.getMemoryUsed();
      if (COLLECTED.getCount() == collected) { // else the numbers are not of one moment
        return new NativeMemory(held, bytes, kept, buffers);
      }
    }
  }

  /** What {@code jcmd} would print of this JVM. */
  private static String diagnose(String command, String... words) {
    try {
      Object printed =
          ManagementFactory.getPlatformMBeanServer()
              .invoke(
                  new ObjectName("com.sun.management:type=DiagnosticCommand"),
                  command,
                  new Object[] {words},
                  new String[] {String[].class.getName()});
      return String.valueOf(printed);
    } catch (JMException e) {
      throw new IllegalStateException("this JVM does not answer to " + command, e);
    }
  }
}
