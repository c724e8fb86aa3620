package dev.fdfiber;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.Postgres;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What other people wrote, in fibers of one scheduler: it parks its fiber, and the others keep
 * their timers. What the JDK alone does is in {@link BlockingCallsTest}.
 */
@FdTest(limitSeconds = 120)
@Tag("slow")
class InteropTest {
  private final CountDownLatch timers = new CountDownLatch(3);

  /** Timers that go off only if nobody holds the driver. */
  private void startTimers(Scheduler s) {
    s.spawn(
        "timers",
        () -> {
          while (timers.getCount() > 0) {
            Scheduler.pause(0.001);
            timers.countDown();
          }
        });
  }

  private static void update(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static int ask(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      assertThat(result.next()).isTrue();
      return result.getInt(1);
    }
  }

  /** One fiber waits in the database for a row that another holds, which waits for the timers. */
  private void aLockedRow(Scheduler s, String url) throws Exception {
    CountDownLatch locked = new CountDownLatch(1);
    Place.in(
        s,
        () -> {
          try (Connection setup = DriverManager.getConnection(url)) {
            update(setup, "create table counter (id int primary key, n int)");
            update(setup, "insert into counter values (1, 0)");
            try (FiberScope scope = FiberScope.open()) {
              Future<Integer> holder =
                  scope.fork(() -> {
                    try (Connection connection = DriverManager.getConnection(url)) {
                      connection.setAutoCommit(false);
                      update(connection, "update counter set n = n + 1 where id = 1");
                      locked.countDown();
                      startTimers(s);
                      timers.await();
                      connection.commit();
                      return 1;
                    }
                  });
              Future<Integer> waiter =
                  scope.fork(() -> {
                    locked.await();
                    try (Connection connection = DriverManager.getConnection(url)) {
                      update(connection, "update counter set n = n + 1 where id = 1");
                      return ask(connection, "select n from counter");
                    }
                  });
              scope.join();
              assertThat(holder.resultNow() + waiter.resultNow()).isEqualTo(3);
            }
            update(setup, "drop table counter");
          }
        });
  }

  @Test
  void jdbc_postgres(Scheduler s) throws Exception {
    try (Postgres server = Postgres.start()) {
      aLockedRow(s, server.url());
      Place.in(
          s,
          () -> { // many at once, and a deadline that ends a query
            try (FiberScope scope = FiberScope.open()) {
              List<Future<Integer>> answers = new ArrayList<>();
              for (int i = 0; i < 10; i++) {
                String question = "select " + i + " from pg_sleep(0.01)";
                answers.add(
                    scope.fork(() -> {
                      try (Connection connection = DriverManager.getConnection(server.url())) {
                        return ask(connection, question);
                      }
                    }));
              }
              scope.join();
              assertThat(answers.stream().mapToInt(Future::resultNow).sum()).isEqualTo(45);
            }
            Throwable late = null;
            try (Connection connection = DriverManager.getConnection(server.url());
                FiberScope scope = FiberScope.open(Duration.ofMillis(50))) {
              Future<Integer> sleeps =
                  scope.fork(() -> ask(connection, "select 1 from pg_sleep(1000)"));
              try {
                scope.join();
              } catch (TimeoutException e) {
                late = e;
              }
              assertThat(sleeps.isDone()).isTrue();
            }
            assertThat(late).isInstanceOf(TimeoutException.class);
          });
    }
  }

  @Test
  void jdbc_h2_inThisProcess(Scheduler s) throws Exception {
    assumeTrue(Runtime.version().feature() >= 24, "Object.wait, which it uses, pins before JDK 24");
    aLockedRow(s, "jdbc:h2:mem:fibers;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=100000");
    Place.in(
        s,
        () -> {
          try (Connection c = DriverManager.getConnection("jdbc:h2:mem:fibers")) {
            update(c, "shutdown");
          }
        });
  }

  @Test
  void completableFutures_bothWays(Scheduler s) throws Exception {
    CompletableFuture<String> fromOutside = new CompletableFuture<>();
    CompletableFuture<String> fromFiber =
        CompletableFuture.supplyAsync(() -> Fiber.current().name() + fromOutside.join(), s)
            .thenApplyAsync(text -> text + Scheduler.inFiber(), s);
    Elsewhere<String> platform = Elsewhere.start(fromFiber::get);
    startTimers(s);
    Elsewhere<Void> completes =
        Elsewhere.begin(() -> {
          timers.await();
          fromOutside.complete(" got it, ");
        });
    s.run();
    assertThat(platform.result()).isEqualTo("fiber-1 got it, true");
    completes.result();
  }

  @Test
  void processes_andTheirPipes(Scheduler s) throws Exception {
    Place.in(
        s,
        () -> {
          Process cat = new ProcessBuilder(Tools.require("cat").toString()).start();
          Fiber reader =
              s.spawn(
                  "reader",
                  () -> {
                    // The JDK's streams of a process are files to it: they hold the driver.
                    byte[] all = Blocking.call(() -> cat.getInputStream().readAllBytes());
                    assertThat(new String(all, UTF_8)).isEqualTo("written after the timers");
                    assertThat(cat.waitFor()).isZero(); // parks by itself
                  });
          startTimers(s);
          timers.await();
          cat.getOutputStream().write("written after the timers".getBytes(UTF_8));
          cat.getOutputStream().close();
          reader.join();
          assertThat(reader.failure()).isEmpty();
          cat.getInputStream().close();
          cat.getErrorStream().close();
        });
  }

  @Test
  void aPerTaskExecutor_makesFibers(Scheduler s) throws Exception {
    startTimers(s);
    Place.in(
        s,
        () -> {
          List<Future<Scheduler>> futures = new ArrayList<>();
          try (ExecutorService each = Executors.newThreadPerTaskExecutor(s.threadFactory())) {
            for (int i = 0; i < 5; i++) {
              futures.add(
                  each.submit(() -> {
                    timers.await();
                    return Scheduler.current();
                  }));
            }
          }
          for (Future<Scheduler> future : futures) {
            assertThat(future.resultNow()).isSameAs(s);
          }
        });
  }

  @Test
  void aThreadLocal_followsItsFiber(Scheduler s) {
    ThreadLocal<String> local = new ThreadLocal<>();
    List<String> seen = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      s.spawn(
          name,
          () -> {
            local.set(name);
            Scheduler.pause(0.001);
            seen.add(name + local.get());
          });
    }
    s.run();
    assertThat(seen).containsExactly("aa", "bb");
    assertThat(local.get()).isNull();
  }

  @Test
  void aScopedValue_followsItsFiber(Scheduler s) throws Exception {
    assumeTrue(Runtime.version().feature() >= 25, "scoped values are final from JDK 25 on");
    Class<?> type = Class.forName("java.lang.ScopedValue");
    Object value = type.getMethod("newInstance").invoke(null);
    Method get = type.getMethod("get");
    Method where = type.getMethod("where", type, Object.class);
    Method run = Class.forName("java.lang.ScopedValue$Carrier").getMethod("run", Runnable.class);
    List<String> seen = new ArrayList<>();
    List<Fiber> fibers = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      Runnable body =
          () -> {
            try {
              Scheduler.pause(0.001);
              seen.add(name + get.invoke(value));
            } catch (ReflectiveOperationException | InterruptedException e) {
              throw new AssertionError(e);
            }
          };
      fibers.add(s.spawn(name, () -> run.invoke(where.invoke(null, value, name), body)));
    }
    s.run();
    assertThat(fibers).allMatch(fiber -> fiber.failure().isEmpty());
    assertThat(seen).containsExactly("aa", "bb");
  }

  private static final String STRUCTURED =
      """
      import dev.fdfiber.*;
      import java.util.concurrent.StructuredTaskScope;
      public class Structured {
        static final ScopedValue<String> USER = ScopedValue.newInstance();
        public static void main(String[] args) {
          try (Scheduler s = Scheduler.create()) {
            s.spawn("owner", () -> ScopedValue.where(USER, "duke").call(() -> {
              try (var scope = StructuredTaskScope.open(
                  StructuredTaskScope.Joiner.<String>awaitAllSuccessfulOrThrow(),
                  cf -> cf.withThreadFactory(s.threadFactory()))) {
                var a = scope.fork(() -> { Scheduler.pause(0.01); return USER.get() + inFiber(s); });
                var b = scope.fork(() -> inFiber(s));
                scope.join();
                System.out.println(a.get() + " " + b.get());
              }
              try (var scope = StructuredTaskScope.open(
                  StructuredTaskScope.Joiner.<String>awaitAllSuccessfulOrThrow(),
                  cf -> cf.withThreadFactory(s.threadFactory()))) {
                scope.fork(() -> { throw new java.io.IOException("bad"); });
                scope.fork(() -> { Scheduler.pause(1000); return ""; });
                scope.join();
              } catch (StructuredTaskScope.FailedException e) {
                System.out.println(e.getCause().getMessage());
              }
              return null;
            }));
            s.run();
            System.out.println(s.aliveCount());
          }
        }
        static String inFiber(Scheduler s) { return Scheduler.current() == s ? "+" : "-"; }
      }
      """;

  @Test
  void structuredTaskScope_withFibers(@TempDir Path dir) throws Exception {
    int version = Runtime.version().feature();
    assumeTrue(version == 25, "its shape is that of JDK 25, where it is a preview");
    Path source = Files.writeString(dir.resolve("Structured.java"), STRUCTURED);
    List<String> flags = new ArrayList<>(ChildJvm.FIBER_FLAGS);
    flags.addAll(List.of("--enable-preview", "--source", Integer.toString(version)));
    ChildJvm.Result result = new ChildJvm(flags).run(dir, source.toString());
    assertThat(result.out()).as(result.errors()).isEqualTo("duke+ +\nbad\n0\n");
  }
}
