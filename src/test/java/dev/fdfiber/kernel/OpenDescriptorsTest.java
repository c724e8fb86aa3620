package dev.fdfiber.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.fd.Inotify;
import dev.fdfiber.fd.Pty;
import dev.fdfiber.fd.TimerFd;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is told of each kind of descriptor, and which other ends are found. */
@FdTest
class OpenDescriptorsTest {
  @TempDir Path directory;

  private static String describe(int fd) {
    return new OpenDescriptors().describe(fd);
  }

  @Test
  void pipe_tellsItsEnds_alsoThoseThatWereDuplicated() {
    try (Fds.Pair pipe = Fds.pipe()) {
      int again = Fds.dup(pipe.b());
      assertThat(describe(pipe.a())).matches("pipe:\\[\\d+] read end");
      assertThat(describe(pipe.b())).matches("pipe:\\[\\d+] write end");
      OpenDescriptors now = new OpenDescriptors();
      assertThat(now.otherEnds(pipe.a())).containsExactly(pipe.b(), again);
      assertThat(now.otherEnds(again)).containsExactly(pipe.a());
      Fds.close(again);
    }
  }

  @Test
  void socketPair_tellsItsOtherEnd() {
    try (Fds.Pair pair = Fds.socketPair();
        Fds.Pair datagrams = Fds.datagramPair()) {
      assertThat(describe(pair.a())).isEqualTo("unix stream");
      assertThat(describe(datagrams.b())).isEqualTo("unix dgram");
      OpenDescriptors now = new OpenDescriptors();
      assertThat(now.otherEnds(pair.a())).containsExactly(pair.b());
      assertThat(now.otherEnds(datagrams.b())).containsExactly(datagrams.a());
    }
  }

  @Test
  void tcp_tellsAddressesAndState_andTheOtherEndOverLoopback() throws Exception {
    for (String host : new String[] {"127.0.0.1", "::1"}) {
      int listener = Sock.listen(host, 0, false, 8);
      int port = Sock.localPort(listener);
      int client = Sock.connect(host, port);
      int served = Sock.accept(listener);
      String shown = host.contains(":") ? "[::1]" : host;
      String protocol = host.contains(":") ? "tcp6" : "tcp";
      int clientPort = Sock.localPort(client);
      OpenDescriptors now = new OpenDescriptors();
      assertThat(now.describe(listener)).isEqualTo("%s %s:%d LISTEN", protocol, shown, port);
      assertThat(now.describe(client))
          .isEqualTo("%s %s:%d → %s:%d ESTABLISHED", protocol, shown, clientPort, shown, port);
      assertThat(now.otherEnds(client)).containsExactly(served);
      assertThat(now.otherEnds(served)).containsExactly(client);
      assertThat(now.otherEnds(listener)).isEmpty();
      Sock.close(client);
      assertThat(Sock.recvSome(served, 0)).isEmpty(); // it has arrived
      assertThat(describe(served)).endsWith(" CLOSE_WAIT");
      Sock.close(served);
      Sock.close(listener);
    }
  }

  @Test
  void anonymousInodes_tellWhatTheyHold() throws Exception {
    Kernel kernel = Kernel.system();
    int event = kernel.eventfd(31, Linux.EFD_CLOEXEC);
    assertThat(describe(event)).isEqualTo("eventfd, count 31");
    Fds.close(event);
    try (TimerFd timer = TimerFd.after(Duration.ofSeconds(1000))) {
      assertThat(describe(timer.fd())).matches("timerfd, expires in \\d+\\.\\d+ s");
    }
    try (Inotify inotify = Inotify.open()) {
      assertThat(describe(inotify.fd())).isEqualTo("inotify, 0 watches");
    }
    int self = kernel.pidfdOpen((int) ProcessHandle.current().pid(), 0);
    assertThat(describe(self)).isEqualTo("pidfd of process " + ProcessHandle.current().pid());
    Fds.close(self);
  }

  @Test
  void whatHasAPath_isThePath_andAPtyMasterTellsItsSlave() throws Exception {
    Path file = directory.resolve("file");
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      assertThat(OpenDescriptors.targets()).containsValue(file.toString());
      assertThat(channel.isOpen()).isTrue();
    }
    try (Pty pty = Pty.open()) {
      assertThat(describe(pty.fd())).matches("pty master of /dev/pts/\\d+");
    }
  }

  @Test
  void whatIsNotOpen_isSaidToBeSo() {
    assertThat(describe(-1)).isEqualTo("not open");
    assertThat(new OpenDescriptors().otherEnds(1_000_000)).isEmpty();
  }
}
