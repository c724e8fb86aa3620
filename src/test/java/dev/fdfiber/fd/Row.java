package dev.fdfiber.fd;

import dev.fdfiber.testing.Fds;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The types of the table in docs/fds.md, each with what holds a virtual clock that waits for it.
 */
enum Row {
  PIPE(Needs.NOTHING, "") {
    @Override
    Subject make() throws Exception {
      Pipe pipe = Pipe.open();
      return Subject.ofChannel(pipe, pipe.reader(), () -> pipe.writer().write(one()));
    }
  },
  SOCKET_PAIR(Needs.NOTHING, "") {
    @Override
    Subject make() throws Exception {
      SocketPair pair = SocketPair.open();
      return Subject.ofChannel(pair, pair.first().channel(), () -> pair.second().send(one()));
    }
  },
  EVENT_FD(Needs.NOTHING, "") {
    @Override
    Subject make() throws Exception {
      EventFd counter = EventFd.counter(0);
      return Subject.of(
          counter, counter.fd(), time -> counter.take(time).isPresent(), () -> counter.add(1));
    }
  },
  TIMER_FD(Needs.NOTHING, "(anon_inode:[timerfd]), behind which is the kernel") {
    @Override
    Subject make() throws Exception {
      TimerFd timer = TimerFd.after(Duration.ofDays(1));
      return Subject.of(
          timer,
          timer.fd(),
          time -> timer.await(time).isPresent(),
          () -> timer.set(Duration.ofNanos(1), Duration.ZERO));
    }
  },
  PID_FD(Needs.NOTHING, "(anon_inode:[pidfd]), behind which is the kernel") {
    @Override
    Subject make() throws Exception {
      Pipe in = Pipe.open();
      PidFd child = PidFd.spawn(Command.of("cat").fd(0, in.readFd()));
      return Subject.of(
          child, child.fd(), time -> child.await(time).isPresent(), in::closeWriter, in);
    }
  },
  PID_FD_OF_THE_JDK(Needs.NOTHING, "(anon_inode:[pidfd]), behind which is the kernel") {
    @Override
    Subject make() throws Exception {
      Process process = new ProcessBuilder("cat").start();
      PidFd child = PidFd.of(process);
      return Subject.of(
          child,
          child.fd(),
          time -> child.await(time).isPresent(),
          () -> process.getOutputStream().close(),
          () -> {
            process.getOutputStream().close();
            process.onExit().join();
          });
    }
  },
  INOTIFY(Needs.NOTHING, "(anon_inode:inotify), behind which is the kernel") {
    @Override
    Subject make() throws Exception {
      Path directory = Files.createTempDirectory("row");
      Inotify inotify = Inotify.open();
      inotify.watch(directory, Inotify.Kind.CREATED);
      Path file = directory.resolve("file");
      return Subject.of(
          inotify,
          inotify.fd(),
          time -> inotify.next(time).isPresent(),
          () -> Files.createFile(file),
          () -> {
            Files.deleteIfExists(file);
            Files.delete(directory);
          });
    }
  },
  PTY(Needs.NOTHING, "") {
    @Override
    Subject make() throws Exception {
      Pty pty = Pty.open();
      Tty tty = Tty.open(pty.slave());
      return Subject.ofChannel(pty, pty.channel(), () -> tty.channel().write(one()), tty);
    }
  },
  TTY(Needs.NOTHING, "") {
    @Override
    Subject make() throws Exception {
      Pty pty = Pty.open();
      Tty tty = Tty.open(pty.slave());
      tty.raw();
      return Subject.ofChannel(tty, tty.channel(), () -> pty.channel().write(one()), pty);
    }
  },
  UNIX_LISTENER(Needs.NOTHING, "") {
    @Override
    Subject make() throws Exception {
      UnixAddress name = address();
      UnixSocket listener = UnixSocket.listen(name);
      return Subject.of(
          listener,
          listener.fd(),
          time -> {
            var accepted = listener.accept(time);
            if (accepted.isPresent()) {
              accepted.get().close();
            }
            return accepted.isPresent();
          },
          () -> UnixSocket.connect(name).close());
    }
  },
  UNIX_DATAGRAMS(Needs.NOTHING, "") {
    @Override
    Subject make() throws Exception {
      UnixAddress name = address();
      UnixSocket socket = UnixSocket.bind(UnixSocket.Type.DATAGRAM, name);
      return Subject.of(
          socket,
          socket.fd(),
          time -> socket.receive(1, 0, time).isPresent(),
          () -> {
            try (UnixSocket sender = UnixSocket.datagram()) {
              sender.sendTo(name, one());
            }
          });
    }
  },
  UDP_SOCKET(Needs.NOTHING, "") {
    @Override
    Subject make() throws Exception {
      UdpSocket socket = UdpSocket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      return Subject.of(
          socket,
          socket.fd(),
          time -> socket.receive(1, time).isPresent(),
          () -> socket.sendTo(socket.localAddress(), one()));
    }
  },
  SIGNALS(Needs.NOTHING, "(anon_inode:[eventfd]), which anybody may send a signal to") {
    @Override
    Subject make() throws Exception {
      Signals signals = Signals.of("USR1");
      return Subject.of(
          signals,
          signals.fd(),
          time -> signals.await(time).isPresent(),
          () -> {
            try (PidFd self = PidFd.of(ProcessHandle.current().pid())) {
              self.signal("USR1");
            }
          });
    }
  },
  SELECT(Needs.NOTHING, "") {
    @Override
    Subject make() throws Exception {
      Pipe pipe = Pipe.open();
      CompletableFuture<String> future = new CompletableFuture<>();
      Select<Boolean> select =
          new Select<Boolean>().readable(pipe.readFd(), fd -> true).completed(future, f -> true);
      return Subject.of(
          null,
          -1,
          time -> time.isNegative() ? select.await() : select.after(time, t -> false).await(),
          () -> pipe.writer().write(one()),
          pipe);
    }
  },
  NETLINK(Needs.A_NAMESPACE, "]), behind which is the kernel") {
    @Override
    Subject make() throws Exception {
      Netlink netlink = Netlink.open();
      return Subject.of(
          netlink,
          netlink.fd(),
          time -> netlink.next(time).isPresent(),
          () -> ip("addr add 127.1.0." + COUNT.incrementAndGet() + "/8 dev lo"));
    }
  },
  TUN(Needs.A_NAMESPACE, "(/dev/net/tun), which is no pipe and no socket") {
    @Override
    Subject make() throws Exception {
      Tun tun = Tun.open(Tun.Kind.TUN, "row%d");
      // or it says hello on its own
      Files.writeString(Path.of("/proc/sys/net/ipv6/conf", tun.name(), "disable_ipv6"), "1");
      ip("addr add 10.7.0.1/24 dev " + tun.name(), "link set " + tun.name() + " up");
      UdpSocket socket = UdpSocket.open(StandardProtocolFamily.INET);
      InetSocketAddress there = new InetSocketAddress(InetAddress.ofLiteral("10.7.0.2"), 9);
      return Subject.ofChannel(tun, tun.channel(), () -> socket.sendTo(there, one()), socket);
    }
  },
  STDIO(Needs.STANDARD_INPUT, "which was open before the test") {
    @Override
    Subject make() throws Exception {
      Stdio stdio = Stdio.open();
      return Subject.ofChannel(stdio, stdio.in(), () -> Fds.write(3, "x"));
    }
  };

  /** What a JVM must have for it. */
  enum Needs {
    NOTHING,
    A_NAMESPACE,
    STANDARD_INPUT
  }

  private static final AtomicInteger COUNT = new AtomicInteger();

  private final Needs needs;
  private final String holder;

  Row(Needs needs, String holder) {
    this.needs = needs;
    this.holder = holder;
  }

  static List<Row> that(Needs needs) {
    return Arrays.stream(values()).filter(row -> row.needs == needs).toList();
  }

  /** Makes one that has nothing to tell. */
  abstract Subject make() throws Exception;

  /** What holds a virtual clock, in the harness's words; nothing if it belongs to the test. */
  String holder() {
    return holder;
  }

  /** If its descriptor is its own, and not borrowed. */
  boolean isOwner() {
    return this != STDIO && this != SELECT;
  }

  private static ByteBuffer one() {
    return ByteBuffer.wrap(new byte[] {'x'});
  }

  private static UnixAddress address() {
    return UnixAddress.ofAbstract(
        "fdfiber-row-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet());
  }

  /** Runs ip(8), in a network namespace of this JVM's own. */
  static void ip(String... batch) throws Exception {
    Path file = Files.createTempFile("ip", "batch");
    Files.write(file, List.of(batch));
    try (PidFd child = PidFd.spawn(Command.of("ip", "-batch", file.toString()))) {
      PidFd.Exit exit = child.await();
      if (!exit.equals(new PidFd.Exited(0))) {
        throw new AssertionError(String.join("; ", batch) + ": " + exit);
      }
    } finally {
      Files.delete(file);
    }
  }
}
