package dev.fdfiber.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/** A sample by a main class of ours in a JVM of its own; the last word that it prints counts. */
@SuppressWarnings("restricted") // native access, for a clock
final class Program {
  private static final int CLOCK_PROCESS_CPUTIME_ID = 2;

  /** As the JDK's own getProcessCpuTime counts ticks of 10 ms. */
  private static final MethodHandle CLOCK_GETTIME =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().find("clock_gettime").orElseThrow(),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));

  private Program() {}

  static Entry.Sampler of(List<String> jvmFlags, Class<?> main, String... arguments) {
    return pace -> {
      List<String> words = new ArrayList<>(List.of(arguments));
      words.add(Integer.toString(pace.repetitions));
      String output = Commands.output(Jvm.command(jvmFlags, main, words));
      return Double.parseDouble(output.substring(output.lastIndexOf('\n') + 1));
    };
  }

  /** The time that all threads of this process have spent on a CPU, to the nanosecond. */
  static long cpuNanos() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment time = arena.allocate(ValueLayout.JAVA_LONG, 2);
      if ((int) CLOCK_GETTIME.invokeExact(CLOCK_PROCESS_CPUTIME_ID, time) != 0) {
        throw new IllegalStateException("clock_gettime failed");
      }
      return time.getAtIndex(ValueLayout.JAVA_LONG, 0) * 1_000_000_000
          + time.getAtIndex(ValueLayout.JAVA_LONG, 1);
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
  }
}
