package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An arena that a test does not close fails it, where the JVM tracks native memory. */
@FdTest(limitSeconds = 120)
@SuppressWarnings("MustBeClosed") // that is what it is about
class ArenaLeakTest {
  /** What the tests below hold on to; the one that ran them frees it. */
  private static final List<Arena> ARENAS = new ArrayList<>();

  private static final CountDownLatch ENOUGH = new CountDownLatch(1);

  /** Tests that fail; a few bytes of them stay for good, which is what they are about. */
  static class Leaking {
    @FdTest
    void confinedAndForgotten() {
      Arena.ofConfined().allocate(1000);
    }

    @FdTest
    void shared() {
      opened().allocate(100);
    }

    @FdTest
    void ofAFiber(Scheduler scheduler) {
      scheduler.spawn(() -> {
        Arena arena = opened();
        for (int i = 0; i < 3; i++) {
          arena.allocate(1000);
          Scheduler.pause(0);
        }
      });
      scheduler.run();
    }

    @FdTest
    void global() {
      Arena.global().allocate(16);
    }

    @FdTest(seeds = 100)
    void inOneOrderOnly(Scheduler scheduler) {
      boolean[] overtaken = {false};
      scheduler.spawn(
          "careless",
          () -> {
            Arena arena = opened();
            arena.allocate(100);
            if (!overtaken[0]) {
              arena.close();
            }
          });
      scheduler.spawn("hasty", () -> overtaken[0] = true);
      scheduler.run();
    }

    private static Arena opened() {
      Arena arena = Arena.ofShared();
      ARENAS.add(arena);
      return arena;
    }
  }

  /** Tests that pass. */
  static class Clean {
    static MemorySegment collected;
    static ByteBuffer buffer;
    private Arena ofTheClass;

    @BeforeEach
    void open() {
      ofTheClass = Arena.ofConfined();
    }

    @AfterEach
    void close() {
      ofTheClass.close();
    }

    @FdTest
    void closed(Scheduler scheduler) {
      ofTheClass.allocate(100);
      scheduler.spawn(() -> {
        try (Arena confined = Arena.ofConfined();
            Arena shared = Arena.ofShared()) {
          confined.allocate(100);
          Scheduler.pause(0);
          shared.allocate(100);
        }
      });
      scheduler.run();
    }

    @FdTest
    void collectedSomeDay() {
      collected = Arena.ofAuto().allocate(100);
      buffer = ByteBuffer.allocateDirect(100);
    }

    @FdTest
    void neverUsed() {
      ARENAS.add(Arena.ofShared());
    }

    @FdTest
    void keptByTheJdk() throws Exception {
      for (int i = 0; i < 5; i++) {
        CountDownLatch looked = new CountDownLatch(1);
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              boolean there = Files.exists(Path.of("/proc/self"));
              looked.countDown();
              awaitEnough(there);
            });
        looked.await();
      }
      try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        Elsewhere.runVirtual(() -> {
          try (Socket near = new Socket(server.getInetAddress(), server.getLocalPort());
              Socket far = server.accept()) {
            far.getOutputStream().write('x');
            assertThat(near.getInputStream().read()).isEqualTo('x'); // through a buffer of the JDK
          }
        });
      }
    }

    private static void awaitEnough(boolean there) {
      try {
        ENOUGH.await();
      } catch (InterruptedException e) {
        throw new AssertionError("there: " + there, e);
      }
    }
  }

  /** What is said of them, in a JVM that tracks. */
  static class Told {
    @AfterEach
    void free() {
      ARENAS.stream().filter(arena -> arena.scope().isAlive()).forEach(Arena::close);
      ARENAS.clear();
    }

    @Test
    void arenaThatNobodyHasAnyMore_isTold_withItsSize() {
      assertThat(Launched.run(Leaking.class, "confinedAndForgotten").failure())
          .isInstanceOf(LeakError.class)
          .hasMessageContaining("1 native allocation is still there at the end of the test")
          .hasMessageContaining("and 1000 bytes more than before")
          .hasMessageContaining("Close every Arena.ofConfined() and Arena.ofShared()");
    }

    @Test
    void sharedArena_isTold() {
      assertThat(Launched.run(Leaking.class, "shared").failure())
          .hasMessageContaining("1 native allocation is still there");
    }

    @Test
    void arenaOfAFiber_isTold_withEachAllocation() {
      assertThat(Launched.run(Leaking.class, "ofAFiber").failure())
          .hasMessageContaining("3 native allocations are still there")
          .hasMessageContaining("3000 bytes more");
    }

    @Test
    void globalArena_isTold_forItIsNeverFreed() {
      assertThat(Launched.run(Leaking.class, "global").failure())
          .hasMessageContaining("1 native allocation is still there")
          .hasMessageContaining("as in Arena.global(), has to be there before the test");
    }

    @Test
    void arenaThatOneOrderLeavesOpen_isFoundAndShrunk() {
      assertThat(Launched.run(Leaking.class, "inOneOrderOnly").failures().values())
          .first()
          .asString()
          .contains("1 native allocation is still there")
          .contains("\"hasty\" goes before \"careless\"");
    }

    @Test
    void closedArenas_thoseOfTheCollector_andBuffersOfTheJdk_areNoLeaks() {
      try {
        Launched launched = Launched.run(Clean.class);
        assertThat(launched.failures()).isEmpty();
        assertThat(launched.tests()).isEqualTo(4);
      } finally {
        ENOUGH.countDown();
      }
    }
  }

  @TempDir Path dir;

  @Test
  @Tag("slow")
  void jvmThatTracks_tellsOfArenasThatAreLeftOpen_andOfNothingElse() throws Exception {
    List<String> flags = new ArrayList<>(ChildJvm.FIBER_FLAGS);
    flags.add("-XX:NativeMemoryTracking=summary");
    assertThat(ran(flags, Told.class)).isEqualTo("6 tests, failed: {}\n");
  }

  @Test
  @Tag("slow")
  void jvmThatDoesNotTrack_saysNothing() throws Exception {
    assertThat(ran(ChildJvm.FIBER_FLAGS, Leaking.class)).isEqualTo("5 tests, failed: {}\n");
  }

  private String ran(List<String> flags, Class<?> tests) throws Exception {
    ChildJvm.Result result = new ChildJvm(flags).run(dir, Program.class.getName(), tests.getName());
    assertThat(result.status()).as(result.errors()).isZero();
    return result.out();
  }

  /** Runs the tests of a class. */
  static final class Program {
    public static void main(String[] args) throws Exception {
      Launched launched = Launched.run(Class.forName(args[0]));
      System.out.println(launched.tests() + " tests, failed: " + launched.failures());
    }
  }
}
