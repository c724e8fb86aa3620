package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@FdTest
class TimerQueueTest {
  private final Scheduler scheduler = Scheduler.create();
  private final Loop loop = new Loop(scheduler, Scheduler.builder());
  private final TimerQueue queue = new TimerQueue();
  private long orders;

  @AfterEach
  void close() {
    loop.free();
    scheduler.close();
  }

  private Task timer(long deadlineNanos) {
    Task task = new Task(loop, null, null);
    task.ask(-1, 0, orders++);
    task.deadlineNanos = deadlineNanos;
    queue.add(task);
    return task;
  }

  private List<Task> drain() {
    List<Task> tasks = new ArrayList<>();
    for (Task task; queue.size() > 0; ) {
      task = queue.removeDue(queue.firstNanos());
      assertThat(task.timerSlot).isEqualTo(-1);
      tasks.add(task);
    }
    assertThat(queue.size()).isZero();
    return tasks;
  }

  @Test
  void first_isTheEarliest() {
    assertThat(queue.removeDue(100)).isNull();
    Task late = timer(30);
    Task early = timer(10);
    Task middle = timer(20);
    assertThat(drain()).containsExactly(early, middle, late);
  }

  @Test
  void ties_keepTheOrderOfRegistration() {
    List<Task> tasks = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      tasks.add(timer(7));
    }
    assertThat(drain()).isEqualTo(tasks);
  }

  @Test
  void deadlinesAroundTheEndOfTheRange_areComparedByTheirDifference() {
    Task wrapped = timer(Long.MIN_VALUE + 5);
    Task before = timer(Long.MAX_VALUE - 5);
    assertThat(drain()).containsExactly(before, wrapped);
    Task negative = timer(-1);
    Task zero = timer(0);
    assertThat(drain()).containsExactly(negative, zero);
  }

  @Test
  void remove_fromAnyPlace_keepsTheOrder() {
    for (int gone = 0; gone < 40; gone++) {
      List<Task> tasks = new ArrayList<>();
      Random random = new Random(gone);
      for (int i = 0; i < 40; i++) {
        tasks.add(timer(random.nextInt(20)));
      }
      Task removed = tasks.remove(gone);
      queue.remove(removed);
      assertThat(drain()).isEqualTo(sorted(tasks));
    }
  }

  @Test
  void randomUse_agreesWithASortedList() {
    Random random = new Random(1);
    List<Task> model = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      if (random.nextInt(5) < 3 || model.isEmpty()) {
        model.add(timer(Long.MAX_VALUE - 500 + random.nextInt(1000)));
      } else {
        queue.remove(model.remove(random.nextInt(model.size())));
      }
      assertThat(queue.size()).isEqualTo(model.size());
    }
    assertThat(drain()).isEqualTo(sorted(model));
  }

  private static List<Task> sorted(List<Task> tasks) {
    return tasks.stream()
        .sorted(
            ((Comparator<Task>) (a, b) -> Long.signum(a.deadlineNanos - b.deadlineNanos))
                .thenComparingLong(Task::order))
        .toList();
  }

  /** Half of them end before their time, as most timeouts do. */
  @Test
  void aMillion_keepTheirOrder_andLeaveNothingBehind() {
    Random random = new Random(1);
    List<Task> tasks = new ArrayList<>();
    for (int i = 0; i < 1_000_000; i++) {
      tasks.add(timer(random.nextInt(100_000)));
    }
    assertThat(queue.size()).isEqualTo(1_000_000);
    for (int i = 0; i < tasks.size(); i += 2) {
      queue.remove(tasks.get(i));
    }
    List<Task> drained = drain();
    assertThat(drained)
        .hasSize(500_000)
        .isSortedAccordingTo(
            Comparator.comparingLong((Task task) -> task.deadlineNanos)
                .thenComparingLong(Task::order));
    assertThat(tasks).allMatch(task -> task.timerSlot == -1);
  }
}
