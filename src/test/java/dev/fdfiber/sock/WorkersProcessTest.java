package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Tools;
import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Workers as a process: signals, sockets that somebody hands over, and no descriptors left. */
@FdTest(limitSeconds = 120)
@Tag("slow")
class WorkersProcessTest {
  /** Listens as systemd does, once for each name, and becomes the program that follows. */
  private static final String HAND_OVER =
      """
      use Socket;
      $^F = 255;
      my @names = split /:/, shift;
      for my $i (0 .. $#names) {
        socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
        fileno($s) == 3 + $i or die;
        bind($s, sockaddr_in(0, INADDR_LOOPBACK)) and listen($s, 64) or die;
        push @keep, $s;
        my ($port) = sockaddr_in(getsockname $s);
        $| = 1;
        print "$port\\n";
      }
      $ENV{LISTEN_FDS} = @names;
      $ENV{LISTEN_FDNAMES} = join ":", @names;
      $ENV{LISTEN_PID} = $$;
      exec @ARGV;
      """;

  @TempDir Path directory;
  private Process process;
  private BufferedReader out;

  /** Starts the program, by way of the words before it. */
  private void start(List<String> before, String... words) throws IOException {
    List<String> command = new ArrayList<>(before);
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(ChildJvm.FIBER_FLAGS);
    command.addAll(List.of("-Xint", "-cp", System.getProperty("java.class.path")));
    command.add(WorkersProgram.class.getName());
    command.addAll(List.of(words));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeAll(List.of("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"));
    process =
        builder
            .redirectInput(new File("/dev/null"))
            .redirectError(directory.resolve("errors").toFile())
            .start();
    out = process.inputReader();
  }

  private List<String> handOver(String names) {
    return List.of(Tools.require("perl").toString(), "-e", HAND_OVER, names);
  }

  private String errors() throws IOException {
    return Files.readString(directory.resolve("errors"));
  }

  private int port() throws IOException {
    String line = out.readLine();
    assertThat(line).as("the first line; on stderr: %s", errors()).startsWith("port ");
    return Integer.parseInt(line.substring("port ".length()));
  }

  private void signal(String name) throws Exception {
    String pid = Long.toString(process.pid());
    assertThat(new ProcessBuilder("kill", "-" + name, pid).inheritIO().start().waitFor()).isZero();
  }

  private int status() throws InterruptedException {
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends in time").isTrue();
    return process.exitValue();
  }

  @AfterEach
  void end() throws Exception {
    process.destroyForcibly().waitFor();
    out.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT"})
  void signal_stopsTheWorkers_andTheProgramEndsByItself(String name) throws Exception {
    start(Tools.gettingSignals());
    int port = port();
    try (TextClient idle = new TextClient(port);
        TextClient other = new TextClient(port)) {
      assertThat(idle.ask("x")).isEqualTo("echo x");
      assertThat(other.ask("x")).isEqualTo("echo x");
      signal(name);
      assertThat(idle.receive()).isEqualTo("bye");
      assertThat(other.receive()).isEqualTo("bye");
      assertThat(out.readLine()).isEqualTo("ended");
      assertThat(status()).isZero();
      assertThat(errors()).isEmpty();
    }
  }

  @Test
  void secondSignal_cutsTheGraceShort() throws Exception {
    start(List.of());
    int port = port();
    try (TextClient idle = new TextClient(port);
        TextClient client = new TextClient(port)) {
      assertThat(idle.ask("x")).isEqualTo("echo x");
      assertThat(client.ask("for ever")).isEqualTo("begun");
      signal("TERM");
      assertThat(idle.receive()).isEqualTo("bye"); // the first has arrived
      signal("TERM");
      assertThat(client.receive()).isNull();
      assertThat(out.readLine()).isEqualTo("ended");
      assertThat(status()).isZero();
    }
  }

  @Test
  void signalAfterTheEnd_isTheJvmsAgain() throws Exception {
    start(List.of(), "wait");
    port();
    signal("TERM");
    assertThat(out.readLine()).isEqualTo("ended");
    signal("TERM");
    assertThat(status()).isEqualTo(128 + 15);
  }

  @Test
  void socketsThatWereHandedOver_areTaken_andSharedByTheWorkers() throws Exception {
    start(handOver("http:admin"));
    int http = Integer.parseInt(out.readLine());
    int admin = Integer.parseInt(out.readLine());
    try (TextClient early = new TextClient(http)) { // it was listening before the JVM was there
      assertThat(port()).isEqualTo(http);
      assertThat(early.ask("x")).isEqualTo("echo x");
      try (TextClient other = new TextClient(admin)) {
        assertThat(other.ask("y")).isEqualTo("echo y");
      }
      signal("TERM");
      assertThat(early.receive()).isEqualTo("bye");
      assertThat(out.readLine()).isEqualTo("ended");
      assertThat(status()).isZero();
      assertThat(errors()).isEmpty();
    }
  }

  @Test
  void socketsWithAnotherName_areLeftAlone() throws Exception {
    start(handOver("http:admin"), "admin");
    int http = Integer.parseInt(out.readLine());
    int admin = Integer.parseInt(out.readLine());
    assertThat(port()).isEqualTo(admin);
    try (TextClient nobody = new TextClient(http);
        TextClient client = new TextClient(admin)) {
      assertThat(client.ask("x")).isEqualTo("echo x");
      signal("TERM");
      assertThat(status()).isZero();
    }
  }

  @Test
  void socketsForAnotherProcess_areLeftAlone() throws Exception {
    List<String> command = new ArrayList<>(handOver("http"));
    command.set(2, HAND_OVER.replace("= $$;", "= $$ + 1;"));
    start(command);
    int http = Integer.parseInt(out.readLine());
    assertThat(port()).isNotEqualTo(http);
    signal("TERM");
    assertThat(status()).isZero();
  }

  @Test
  void outOfDescriptors_waitsWithoutSpinning_tellsOnce_andServesWhoCameMeanwhile()
      throws Exception {
    // Its classes are files, so what it has not loaded by then it cannot load.
    start(List.of("sh", "-c", "ulimit -n 100; exec \"$0\" \"$@\""));
    int port = port();
    awaitBoth(port); // or one might take all descriptors before the other has its own
    List<TextClient> clients = new ArrayList<>();
    try {
      for (int i = 0; i < 150; i++) {
        clients.add(new TextClient(port));
        clients.getLast().send("x");
      }
      while (!errors().contains("\n")) {
        Thread.onSpinWait();
      }
      Duration before = process.info().totalCpuDuration().orElseThrow();
      TimeUnit.SECONDS.sleep(2); // how much work is done in a time is what this is about
      Duration spent = process.info().totalCpuDuration().orElseThrow().minus(before);
      assertThat(spent).as("CPU time within 2 s").isLessThan(Duration.ofSeconds(1));
      List<Elsewhere<Void>> readers = new ArrayList<>();
      for (TextClient client : clients) {
        readers.add(Elsewhere.begin(() -> readAndMakeRoom(client)));
      }
      for (Elsewhere<Void> reader : readers) {
        reader.result();
      }
      signal("TERM");
      assertThat(status()).isZero();
      assertThat(errors().lines())
          .as("once for each worker, within a minute")
          .hasSizeBetween(1, 2)
          .allMatch(line -> line.startsWith("cannot accept for now, and tries again: accept(fd "))
          .allMatch(line -> line.contains("EMFILE"));
    } finally {
      for (TextClient client : clients) {
        client.close();
      }
    }
  }

  /** Asks until each of the two workers has answered. */
  private static void awaitBoth(int port) throws IOException {
    Set<String> servers = new HashSet<>();
    while (servers.size() < 2) {
      try (TextClient client = new TextClient(port)) {
        servers.add(client.ask("who"));
      }
    }
  }

  private static void readAndMakeRoom(TextClient client) throws IOException {
    assertThat(client.receive()).isEqualTo("echo x");
    client.close();
  }
}
