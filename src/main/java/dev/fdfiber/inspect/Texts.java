package dev.fdfiber.inspect;

import dev.fdfiber.FiberInfo;
import dev.fdfiber.kernel.OpenDescriptors;
import dev.fdfiber.poller.Wait;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What fibers wait for, in words. What a descriptor is, is kept for a while, so that a fiber which
 * waits for it again and again costs one readlink(2) each time and no table of sockets.
 */
final class Texts {
  private static final long KEPT_MILLIS = 5_000;
  private static final int MOST = 50_000;

  private record Kept(String text, long atMillis) {}

  private final Map<String, Kept> kept = new HashMap<>();
  private @Nullable OpenDescriptors descriptors; // for one sample

  /** A new sample begins. */
  void sample() {
    descriptors = null;
    if (kept.size() > MOST) {
      kept.clear();
    }
  }

  String wait(FiberInfo fiber, long nowMillis) {
    StringBuilder text = new StringBuilder();
    for (int fd : fiber.fds()) {
      text.append(text.isEmpty() ? "" : "; ").append("fd ").append(fd).append(mode(fiber.mode()));
      text.append(' ').append(descriptor(fd, nowMillis));
    }
    fiber.joins().ifPresent(id -> text.append("the end of fiber ").append(id));
    return text.toString();
  }

  private String descriptor(int fd, long nowMillis) {
    String target = OpenDescriptors.target(fd);
    String key = target.startsWith("socket:") ? target : target + fd;
    Kept known = kept.get(key);
    if (known == null || nowMillis - known.atMillis > KEPT_MILLIS) {
      if (descriptors == null) {
        descriptors = new OpenDescriptors();
      }
      known = new Kept(descriptors.describe(fd), nowMillis);
      kept.put(key, known);
    }
    return known.text;
  }

  /** With a space before it; nothing where several descriptors have their own. */
  static String mode(int mode) {
    return mode == 0 ? "" : " " + Wait.text(mode);
  }
}
