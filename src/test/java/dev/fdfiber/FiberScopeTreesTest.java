package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.TimeKernel;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Trees of scopes at random: forks, pauses, failures, deadlines, cancels, shields, in any order.
 * Whatever happens, the rules hold, and at the end nothing is left.
 */
@FdTest(limitSeconds = 300)
@Tag("slow")
class FiberScopeTreesTest {
  private static final int TREES = 10_000;
  private static final List<FiberScope.Policy> POLICIES = List.of(FiberScope.Policy.values());

  /** How the joins ended, to see that all ends are reached. */
  private enum End {
    RETURNED,
    FAILED,
    TIMEOUT,
    CANCELLED
  }

  private final Map<End, Integer> ends = new EnumMap<>(End.class);

  @ParameterizedTest
  @EnumSource(PollerKind.class)
  void randomTrees_obeyTheRules_andLeaveNothing(PollerKind poller) {
    long seed = new Random().nextLong();
    System.out.println("FiberScopeTreesTest " + poller + " seed " + seed);
    try (Logged logged = new Logged()) { // scopes that wait for shields
      for (int i = 0; i < TREES; i++) {
        new Tree(poller, seed + i).run();
      }
      assertThat(logged.at(Level.SEVERE)).isEmpty();
    }
    assertThat(ends.keySet()).as("%s", ends).containsExactly(End.values());
    assertThat(ends.values()).as("%s", ends).allMatch(count -> count > TREES / 50);
  }

  /** One program, all of whose choices come from the seed. */
  private final class Tree {
    private final ManualClock clock = new ManualClock();
    private final Random random;
    private final String at;
    private final List<Throwable> broken = new ArrayList<>();
    private final Scheduler s;
    private int scopes;

    Tree(PollerKind poller, long seed) {
      this.random = new Random(seed);
      this.at = "tree with seed " + seed;
      Scheduler.Builder builder =
          Scheduler.builder().poller(poller).clock(clock).kernel(new TimeKernel(clock));
      this.s =
          (random.nextBoolean() ? builder.seed(seed) : builder).onUncaught((f, t) -> {}).build();
    }

    void run() {
      try (s) {
        Fiber root = s.spawn("root", () -> node(3, new Frame(null, null)));
        Fiber vandal = s.spawn("vandal", this::cancelSome);
        s.run();
        root.failure().filter(t -> t instanceof AssertionError).ifPresent(broken::add);
        assertThat(vandal.failure()).as(at).isEmpty();
        assertThat(broken).as(at).isEmpty();
        assertThat(s.aliveCount()).as(at).isZero();
        assertThat(s.nextWakeNanos()).as(at).isEmpty();
        assertThat(s.anyIoWaiter()).as(at).isFalse();
        assertThat(s.loop().owners).as(at).isEmpty();
      }
    }

    /** Now and then somebody from outside cancels a fiber. */
    private void cancelSome() throws InterruptedException {
      for (int i = random.nextInt(4); i > 0; i--) {
        Scheduler.pause(random.nextInt(20));
        List<FiberInfo> all = s.fibers();
        FiberInfo chosen = all.get(random.nextInt(all.size()));
        if (!chosen.name().equals("vandal")) {
          chosen.thread().ifPresent(Thread::interrupt);
        }
      }
    }

    /** What a fiber does: some steps, some of them in scopes of its own. */
    private String node(int depth, Frame frame) throws Exception {
      for (int steps = random.nextInt(3); steps >= 0; steps--) {
        step(depth, frame);
      }
      return "result";
    }

    private void step(int depth, Frame frame) throws Exception {
      switch (random.nextInt(depth > 0 ? 9 : 5)) {
        case 0, 1 -> Scheduler.pause(random.nextInt(8));
        case 2 -> {
          if (random.nextInt(3) == 0) {
            throw new IOException("failed on purpose");
          }
        }
        case 3 -> FiberScope.shield(() -> Scheduler.pause(random.nextInt(3)));
        case 4 -> swallow();
        default -> inScope(depth, frame);
      }
    }

    private void swallow() {
      try {
        Scheduler.pause(random.nextInt(3));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    private void inScope(int depth, Frame outer) throws Exception {
      FiberScope.Builder builder =
          FiberScope.builder()
              .name("s" + scopes++)
              .policy(POLICIES.get(random.nextInt(POLICIES.size())));
      Long limit = random.nextInt(3) == 0 ? random.nextInt(12) * 1_000_000_000L : null;
      if (limit != null) {
        builder.deadline(Duration.ofNanos(limit));
      }
      Block block;
      FiberScope scope = builder.open();
      block = new Block(scope, limit == null ? null : clock.nanoTime() + limit);
      Frame frame = new Frame(block, outer);
      try (scope) {
        for (int forks = random.nextInt(4); forks > 0; forks--) {
          block.children.add(scope.fork(() -> child(block, depth - 1)));
        }
        if (random.nextInt(3) == 0) {
          step(depth - 1, frame);
        }
        if (!block.children.isEmpty() && random.nextInt(6) == 0) {
          block.children.get(random.nextInt(block.children.size())).cancel(true);
        }
        if (random.nextInt(5) > 0) {
          join(block, frame);
        }
      } finally {
        check(block.alive == 0, "a child outlives its scope");
        check(block.children.stream().allMatch(Future::isDone), "a future is open");
      }
    }

    private String child(Block block, int depth) throws Exception {
      block.alive++;
      try {
        return node(depth, new Frame(null, null));
      } catch (Throwable t) {
        block.thrown.add(t);
        throw t;
      } finally {
        block.alive--;
      }
    }

    private void join(Block block, Frame frame) throws Exception {
      End end = End.CANCELLED;
      try {
        block.scope.join();
        end = End.RETURNED;
        check(block.alive == 0, "join returned with a child alive");
      } catch (ExecutionException e) {
        end = End.FAILED;
        check(block.alive == 0, "join threw with a child alive");
        check(
            block.thrown.contains(e.getCause())
                || e.getCause() instanceof NoSuchElementException, // none succeeded, none failed
            "join threw what no child did: " + e.getCause());
        throw e;
      } catch (TimeoutException e) {
        end = End.TIMEOUT;
        check(block.alive == 0, "join timed out with a child alive");
        check(frame.hasExpired(e.getMessage(), clock.nanoTime()), "not so: " + e.getMessage());
        throw e;
      } finally {
        ends.merge(end, 1, Integer::sum);
      }
    }

    private void check(boolean holds, String rule) {
      if (!holds) {
        broken.add(new AssertionError(rule));
      }
    }
  }

  /** A scope and what is known of it. */
  private static final class Block {
    final FiberScope scope;
    final Long deadline;
    final List<Future<String>> children = new ArrayList<>();
    final List<Throwable> thrown = new ArrayList<>();
    int alive;

    Block(FiberScope scope, Long deadline) {
      this.scope = scope;
      this.deadline = deadline;
    }
  }

  /** The scopes of one owner, from the inside out. */
  private record Frame(Block block, Frame outer) {
    /** If the scope that a message names is one of these, and its deadline has passed. */
    boolean hasExpired(String message, long now) {
      for (Frame f = this; f != null && f.block != null; f = f.outer) {
        String name = f.block.scope.toString().replaceFirst(" \\(.*", "");
        if (message.startsWith(name + ": ")) {
          return f.block.deadline != null && f.block.deadline - now <= 0;
        }
      }
      return false;
    }
  }
}
