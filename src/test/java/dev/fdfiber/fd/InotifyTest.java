package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.PollerKind;
import dev.fdfiber.Scheduler;
import dev.fdfiber.fd.Inotify.Changed;
import dev.fdfiber.fd.Inotify.Event;
import dev.fdfiber.fd.Inotify.Kind;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Place;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Files that another process makes, writes, moves and removes. */
@FdTest
@ExtendWith(LeftBehind.class)
class InotifyTest {
  @TempDir Path temp;

  private Path fresh() throws Exception {
    return Files.createTempDirectory(temp, "watched");
  }

  private static void shell(Path directory, String script) throws Exception {
    try (PidFd child = PidFd.spawn(Command.of("sh", "-ec", script).directory(directory))) {
      assertThat(child.await()).isEqualTo(new PidFd.Exited(0));
    }
  }

  private static Changed changed(Path path, Kind kind) {
    return new Changed(path, kind, false, 0);
  }

  @EachPlace
  void whatAnotherProcessDoes_isToldInOrder(Where where) throws Exception {
    where.run(() -> {
      Path d = fresh();
      try (Inotify inotify = Inotify.open()) {
        assertThat(Opened.isCloseOnExec(inotify.fd())).isTrue();
        inotify.watch(d);
        shell(d, "echo x > a; mv a b; rm b; mkdir sub");
        assertThat(inotify.next()).isEqualTo(changed(d.resolve("a"), Kind.CREATED));
        assertThat(inotify.next()).isEqualTo(changed(d.resolve("a"), Kind.MODIFIED));
        assertThat(inotify.next()).isEqualTo(changed(d.resolve("a"), Kind.CLOSED_WRITTEN));
        Changed from = (Changed) inotify.next();
        Changed to = (Changed) inotify.next();
        assertThat(from.kind()).isEqualTo(Kind.MOVED_FROM);
        assertThat(to).isEqualTo(new Changed(d.resolve("b"), Kind.MOVED_TO, false, from.cookie()));
        assertThat(from.cookie()).isNotZero();
        assertThat(inotify.next()).isEqualTo(changed(d.resolve("b"), Kind.DELETED));
        assertThat(inotify.next()).isEqualTo(new Changed(d.resolve("sub"), Kind.CREATED, true, 0));
        assertThat(inotify.next(Duration.ofNanos(1))).isEmpty();
      }
    });
  }

  @EachPlace
  void onlyTheChosenKinds_ofAFile_untilItIsGone(Where where) throws Exception {
    where.run(() -> {
      Path d = fresh();
      Path file = Files.createFile(d.resolve("file"));
      try (Inotify inotify = Inotify.open()) {
        inotify.watch(file, Kind.MODIFIED, Kind.SELF_DELETED);
        shell(d, "cat file; chmod 600 file; echo x >> file; rm file");
        assertThat(inotify.next()).isEqualTo(changed(file, Kind.MODIFIED));
        assertThat(inotify.next()).isEqualTo(changed(file, Kind.SELF_DELETED));
        assertThat(inotify.next(Duration.ZERO)).isEmpty();
        assertThat(inotify.toString()).contains(", 0 watches");
        assertThatThrownBy(() -> inotify.watch(file)).hasMessageContaining("ENOENT");
      }
    });
  }

  @EachPlace
  void tree_missesNothing_howeverFastItGrows(Where where) throws Exception {
    where.run(() -> {
      Path d = fresh();
      Files.createDirectories(d.resolve("old/deep"));
      try (Inotify inotify = Inotify.open()) {
        inotify.watchTree(d, Kind.CREATED);
        Set<Path> expected = new HashSet<>();
        for (int i = 0; i < 20; i++) {
          expected.add(d.resolve("n" + i + "/a/b/file"));
        }
        expected.add(d.resolve("old/deep/late"));
        // Made by others while nobody reads: most of it is there before it can be watched.
        shell(
            d,
            "i=0; while [ $i -lt 20 ]; do mkdir -p n$i/a/b; : > n$i/a/b/file; i=$((i+1)); done;"
                + " : > old/deep/late");
        expect(inotify, expected);
        shell(d, "mv n0 renamed; : > renamed/a/b/after; mkdir n1/a/c; : > n1/a/c/after");
        expect(
            inotify,
            new HashSet<>(
                List.of(
                    d.resolve("renamed/a/b/file"),
                    d.resolve("renamed/a/b/after"),
                    d.resolve("n1/a/c/after"))));
        inotify.unwatch(d);
        shell(d, ": > unwatched; : > n1/a/c/unwatched");
        while (inotify.next(Duration.ZERO).isPresent()) {}
        assertThat(inotify.toString()).contains(", 0 watches");
      }
    });
  }

  private static void expect(Inotify inotify, Set<Path> files) throws Exception {
    Set<Path> missing = new HashSet<>(files);
    while (!missing.isEmpty()) {
      Optional<Event> event = inotify.next(Duration.ofSeconds(30));
      assertThat(event).as("with %s missing", missing).isPresent();
      Changed changed = (Changed) event.orElseThrow();
      assertThat(changed.kind()).isEqualTo(Kind.CREATED);
      missing.remove(changed.path());
    }
  }

  /**
   * In one read: of such a file a second gives nothing, and Files.readString begins with a byte.
   */
  private static int mostQueued() throws Exception {
    try (var in = Files.newInputStream(Path.of("/proc/sys/fs/inotify/max_queued_events"))) {
      return Integer.parseInt(new String(in.readNBytes(20), StandardCharsets.UTF_8).strip());
    }
  }

  @EachPlace
  void overflow_saysSo_andTreesAreWatchedAgain(Where where) throws Exception {
    where.run(() -> {
      Path d = fresh();
      int most = mostQueued();
      try (Inotify inotify = Inotify.open()) {
        inotify.watchTree(d, Kind.CREATED, Kind.ATTRIBUTES);
        Path a = Files.createFile(d.resolve("a"));
        Path b = Files.createFile(d.resolve("b"));
        for (int i = 0; i <= most / 2; i++) { // in turn, as the same event twice is one
          Files.setLastModifiedTime(a, java.nio.file.attribute.FileTime.fromMillis(i));
          Files.setLastModifiedTime(b, java.nio.file.attribute.FileTime.fromMillis(i));
        }
        Files.createDirectories(d.resolve("lost/deep"));
        Event event;
        do {
          event = inotify.next();
        } while (event instanceof Changed);
        assertThat(event).isEqualTo(new Inotify.Overflow());
        shell(d, ": > lost/deep/file");
        expect(inotify, Set.of(d.resolve("lost/deep/file")));
      }
    });
  }

  @EachPlace
  void stream_givesWhatComes_andWaitsEndByCancelAndByClose(Where where) throws Exception {
    where.run(() -> {
      Path d = fresh();
      try (Inotify inotify = Inotify.open()) {
        inotify.watch(d, Kind.CREATED);
        Where.assertCancellable(inotify::next);
        shell(d, ": > a; : > b");
        assertThat(inotify.events().limit(2).map(e -> ((Changed) e).path()))
            .containsExactly(d.resolve("a"), d.resolve("b"));
        Where.assertWokenByClose(inotify::next, inotify);
      }
    });
  }

  @ParameterizedTest
  @EnumSource
  void directoryThatCannotBeWatched_isTold_andTheEventsAfterItAreNotLost(PollerKind poller)
      throws Exception {
    Kernel kernel =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public int inotifyAddWatch(int fd, MemorySegment path, int mask) {
            boolean tooMany = path.getString(0).endsWith("/one too many");
            return tooMany ? -Errno.ENOSPC : super.inotifyAddWatch(fd, path, mask);
          }
        };
    try (Scheduler s =
        Scheduler.builder().kernel(kernel).poller(poller).onUncaught((f, t) -> {}).build()) {
      Place.in(
          s,
          () -> {
            Path d = fresh();
            try (Inotify inotify = Inotify.open()) {
              inotify.watchTree(d, Kind.CREATED);
              shell(d, "mkdir 'one too many'; : > after");
              assertThatThrownBy(inotify::next)
                  .isInstanceOf(ErrnoException.class)
                  .hasMessageContaining("one too many, see fs.inotify.max_user_watches: ENOSPC");
              assertThat(inotify.next())
                  .isEqualTo(new Changed(d.resolve("one too many"), Kind.CREATED, true, 0));
              assertThat(inotify.next()).isEqualTo(changed(d.resolve("after"), Kind.CREATED));
            }
          });
    }
  }

  /** Root reads everything, but for a root without the capabilities for that. */
  @Test
  @Tag("slow")
  void directoriesThatMayNotBeRead_areTold_andTheOthersAreWatched() throws Exception {
    Path d = fresh();
    shell(
        d,
        "mkdir closed blind open; mkdir blind/inner;"
            + " chmod 0 closed; chmod 400 blind; echo x > open/file");
    try {
      ChildJvm.Result child =
          new ChildJvm(ChildJvm.FIBER_FLAGS)
              .withoutCapabilities("dac_override", "dac_read_search")
              .run(temp, Watcher.class.getName(), d.toString());
      assertThat(child.errors()).isEmpty();
      assertThat(child.out().lines())
          .containsExactlyInAnyOrder(
              "Unwatched[directory=closed]",
              "Unwatched[directory=blind]",
              "Changed[path=open/late, kind=CREATED, isDirectory=false, cookie=0]",
              "Changed[path=new, kind=CREATED, isDirectory=true, cookie=0]",
              "Unwatched[directory=new]",
              "Changed[path=end, kind=CREATED, isDirectory=false, cookie=0]",
              "Changed[path=closed/late, kind=CREATED, isDirectory=false, cookie=0]");
    } finally {
      shell(d, "chmod 700 closed blind; chmod -f 700 new || true");
    }
  }

  /** Tells what happens in a directory, some of which it may not read. */
  static final class Watcher {
    private Watcher() {}

    public static void main(String[] words) throws Exception {
      Path d = Path.of(words[0]);
      try (Inotify inotify = Inotify.open()) {
        inotify.watchTree(d, Kind.CREATED);
        shell(d, "echo x > open/late; mkdir -m 0 new; echo x > end");
        tell(inotify, d, "path=end,");
        shell(d, "chmod 700 closed blind new");
        inotify.watchTree(d, Kind.CREATED);
        shell(d, "echo x > closed/late");
        tell(inotify, d, "path=closed/late,");
      }
    }

    private static void tell(Inotify inotify, Path d, String last) throws Exception {
      String told;
      do {
        told = inotify.next().toString().replace(d + "/", "");
        System.out.println(told);
      } while (!told.contains(last));
    }
  }

  @Test
  void treeOfAFile_isRefused() throws Exception {
    Path file = Files.createFile(temp.resolve("file"));
    try (Inotify inotify = Inotify.open()) {
      assertThatThrownBy(() -> inotify.watchTree(file)).hasMessageContaining("ENOTDIR");
    }
  }
}
