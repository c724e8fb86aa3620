package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.FdChannel;
import dev.fdfiber.examples.fds.Broker;
import dev.fdfiber.examples.fds.PingResponder;
import dev.fdfiber.examples.fds.Recorder;
import dev.fdfiber.examples.fds.Supervisor;
import dev.fdfiber.examples.fds.TailF;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The examples, run as their users run them: a JVM each, with words, and a terminal or pipes. */
@FdTest(limitSeconds = 120)
@ExtendWith(LeftBehind.class)
class ExamplesTest {
  private static final Path SOURCES = Path.of("src/examples/java/dev/fdfiber/examples/fds");

  @TempDir Path directory;

  static List<Path> examples() throws IOException {
    try (Stream<Path> files = Files.list(SOURCES)) {
      return files.filter(file -> !file.endsWith("package-info.java")).toList();
    }
  }

  @ParameterizedTest
  @MethodSource("examples")
  void each_isShort_andTheReadmeShowsItsCommand(Path example) throws Exception {
    assertThat(Files.readAllLines(example)).hasSizeLessThanOrEqualTo(40);
    String name = example.getFileName().toString().replace(".java", "");
    assertThat(Files.readString(Path.of("README.md")))
        .contains("](" + example + ")")
        .containsPattern(
            "mvn -q -DskipTests compile exec:exec -Dexample=fds\\."
                + name
                + " -Dworker.args=\"[^\"]+\"\n");
  }

  @Test
  void readme_showsOneWhole() throws Exception {
    String source = Files.readString(SOURCES.resolve("TailF.java"));
    assertThat(Files.readString(Path.of("README.md")))
        .contains("```java\n" + source.substring(source.indexOf("/**")) + "```\n");
  }

  /** Reads until it has come; fails at the end. */
  private static void expect(FdChannel channel, StringBuilder said, String text)
      throws IOException {
    ByteBuffer some = ByteBuffer.allocate(1000);
    while (said.indexOf(text) < 0) {
      int n = channel.read(some.clear(), Duration.ofSeconds(60));
      assertThat(n).as("expecting '%s' after '%s'", text, said).isPositive();
      said.append(StandardCharsets.UTF_8.decode(some.flip()));
    }
  }

  @Test
  @Tag("slow")
  void recorder_showsAndWritesDownWhatAProgramSays_andTakesWhatIsTyped() throws Exception {
    Path file = directory.resolve("record");
    Command recorder =
        Command.of(
            FdJvm.words(
                Recorder.class, file.toString(), "sh", "-c", "tty; read x; echo \"got $x\""));
    try (Pty terminal = Pty.open();
        PidFd child = terminal.spawn(recorder)) {
      String first = PtyTest.expect(terminal, "/dev/pts/");
      assertThat(first).as("a terminal of its own").doesNotContain(terminal.slave() + "\r");
      PtyTest.type(terminal, "typed\n");
      PtyTest.expect(terminal, "got typed");
      PtyTest.expect(terminal, "Exited[status=0]");
      assertThat(child.await()).isEqualTo(new PidFd.Exited(0));
    }
    assertThat(Files.readString(file))
        .containsPattern("\\d+ ms: /dev/pts/\\d+")
        .contains("got typed");
  }

  @Test
  @Tag("slow")
  void tailF_followsAFile_alsoWhenItIsRotated() throws Exception {
    Path log = Files.writeString(directory.resolve("log"), "one\n");
    try (Pipe out = Pipe.open();
        PidFd child =
            PidFd.spawn(
                Command.of(FdJvm.words(TailF.class, log.toString())).fd(1, out.writeFd()))) {
      out.closeWriter();
      StringBuilder said = new StringBuilder();
      expect(out.reader(), said, "one\n");
      Files.writeString(log, "two\n", StandardOpenOption.APPEND);
      expect(out.reader(), said, "two\n");
      Files.move(log, directory.resolve("log.1"));
      Files.writeString(log, "three\n");
      expect(out.reader(), said, "three\n");
      Files.writeString(log, "four\n", StandardOpenOption.APPEND);
      expect(out.reader(), said, "four\n");
      assertThat(said.toString()).isEqualTo("one\ntwo\nthree\nfour\n");
      assertThat(child.kill()).isTrue();
    }
  }

  @Test
  @Tag("slow")
  void supervisor_restartsItsServer_andNoConnectionIsRefused() throws Exception {
    int times = 3;
    try (Pipe out = Pipe.open();
        PidFd child =
            PidFd.spawn(
                Command.of(FdJvm.words(Supervisor.class, "0", "" + times)).fd(1, out.writeFd()))) {
      out.closeWriter();
      StringBuilder said = new StringBuilder();
      expect(out.reader(), said, "\n");
      Matcher listening = Pattern.compile("listening on (\\d+)\n").matcher(said);
      assertThat(listening.find()).as(said.toString()).isTrue();
      int port = Integer.parseInt(listening.group(1));
      Set<String> servers = new HashSet<>();
      for (int i = 0; i < times; i++) { // each as soon as the one before has been answered
        int fd = Sock.connect("127.0.0.1", port);
        servers.add(new String(Sock.recvAll(fd, 0), StandardCharsets.UTF_8));
        Sock.close(fd);
      }
      assertThat(servers).hasSize(times).allMatch(text -> text.matches("served by \\d+\n"));
      said.append(PidFdTest.readAll(out.reader()));
      for (String server : servers) {
        String pid = server.replaceAll("\\D", "");
        assertThat(said.toString()).contains("server " + pid + ": Exited[status=0]\n");
      }
      assertThat(child.await()).isEqualTo(new PidFd.Exited(0));
    }
  }

  @Test
  @Tag("slow")
  void broker_givesTwoStrangersAConnection() throws Exception {
    String name = "fdfiber-broker-" + ProcessHandle.current().pid();
    try (Pipe out = Pipe.open();
        PidFd child =
            PidFd.spawn(Command.of(FdJvm.words(Broker.class, name)).fd(1, out.writeFd()))) {
      out.closeWriter();
      assertThat(PidFdTest.readAll(out.reader()).lines())
          .containsExactlyInAnyOrder("sent 42, got 43", "sent 43, got 42");
      assertThat(child.await()).isEqualTo(new PidFd.Exited(0));
    }
  }

  /** Pings machines that are not there, in a namespace of its own. */
  static final class Pings {
    public static void main(String[] args) throws Exception {
      try (Pipe out = Pipe.open();
          PidFd child =
              PidFd.spawn(
                  Command.of(FdJvm.words(PingResponder.class, "10.55.0.1/24"))
                      .fd(1, out.writeFd()))) {
        out.closeWriter();
        expect(out.reader(), new StringBuilder(), "ping any address");
        for (String host : List.of("10.55.0.7", "10.55.0.200")) {
          assertThat(InetAddress.ofLiteral(host).isReachable(20_000)).as(host).isTrue();
        }
        assertThat(child.kill()).isTrue();
      }
      System.out.println("all is well");
    }
  }

  @Test
  @Tag("slow")
  void pingResponder_answersPings() throws Exception {
    NetworkTest.requireTun();
    NetworkTest.runInNamespace(Pings.class);
  }
}
