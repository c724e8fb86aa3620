package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.FdTest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@FdTest
class ReadyQueueTest {
  private final Scheduler scheduler = Scheduler.create();
  private final Loop loop = new Loop(scheduler, Scheduler.builder());

  @AfterEach
  void close() {
    loop.free();
    scheduler.close();
  }

  private Task task() {
    return new Task(loop, null, null);
  }

  private List<Task> fill(ReadyQueue queue, int count) {
    List<Task> tasks = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      tasks.add(task());
      queue.add(tasks.getLast());
    }
    return tasks;
  }

  private static List<Task> drain(ReadyQueue queue) {
    List<Task> tasks = new ArrayList<>();
    while (!queue.isEmpty()) {
      tasks.add(queue.take());
    }
    return tasks;
  }

  @Test
  void take_ofAnEmptyQueue_isRefused() {
    assertThatThrownBy(new ReadyQueue(null)::take).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void withoutSeed_isFirstInFirstOutAcrossGrowthAndWrapping() {
    ReadyQueue queue = new ReadyQueue(null);
    Deque<Task> model = new ArrayDeque<>();
    Random random = new Random(3);
    for (int i = 0; i < 10_000; i++) {
      if (random.nextInt(9) < 5) {
        Task task = task();
        queue.add(task);
        model.add(task);
      } else if (!model.isEmpty()) {
        assertThat(queue.take()).isSameAs(model.remove());
      }
      assertThat(queue.size()).isEqualTo(model.size());
    }
    assertThat(drain(queue)).isEqualTo(new ArrayList<>(model));
  }

  @Test
  void withSeed_givesEachOnceAndTheSameOrderForTheSameSeed() {
    List<List<Integer>> orders = new ArrayList<>();
    for (long seed : new long[] {1, 1, 2}) {
      ReadyQueue queue = new ReadyQueue(new SeededOrder(seed));
      List<Task> tasks = fill(queue, 100);
      List<Task> taken = drain(queue);
      assertThat(taken).containsExactlyInAnyOrderElementsOf(tasks).isNotEqualTo(tasks);
      orders.add(taken.stream().map(tasks::indexOf).toList());
    }
    assertThat(orders.get(0)).isEqualTo(orders.get(1)).isNotEqualTo(orders.get(2));
  }

  @Test
  void remove_takesOneOutAndKeepsTheOrder() {
    for (int gone = 0; gone < 64; gone++) {
      ReadyQueue queue = new ReadyQueue(null);
      fill(queue, 10);
      drain(queue); // so that what follows wraps around
      List<Task> tasks = fill(queue, 64);
      queue.remove(tasks.remove(gone));
      queue.remove(task()); // one that is not there
      assertThat(drain(queue)).isEqualTo(tasks);
    }
  }
}
