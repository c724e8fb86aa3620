package dev.fdfiber.examples.fds;

import dev.fdfiber.fd.Inotify;
import dev.fdfiber.fd.Inotify.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Prints what a file has and gets, also after it was moved away and made anew: FILE. */
public final class TailF {
  public static void main(String[] args) throws IOException {
    Path file = Path.of(args[0]).toAbsolutePath();
    try (Inotify inotify = Inotify.open()) {
      inotify.watch(file.getParent(), Kind.MODIFIED, Kind.CREATED, Kind.MOVED_TO);
      InputStream in = Files.newInputStream(file);
      while (true) {
        in.transferTo(System.out);
        System.out.flush();
        switch (inotify.next()) {
          case Inotify.Changed(Path path, Kind kind, boolean _, int _) -> {
            if (path.equals(file) && kind != Kind.MODIFIED) {
              in.transferTo(System.out); // the end of the old one
              in.close();
              in = Files.newInputStream(file);
            }
          }
          case Inotify.Overflow _, Inotify.Unwatched _ -> {} // looks at the file anyway
        }
      }
    }
  }
}
