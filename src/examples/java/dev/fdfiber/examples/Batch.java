package dev.fdfiber.examples;

import dev.fdfiber.Scheduler;
import dev.fdfiber.examples.http.Request;
import dev.fdfiber.examples.http.Response;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;

/**
 * {@code POST /batch}: a batch of CPU work inside a handler, the wiki's third use. Nothing preempts
 * a fiber, so between two steps this one calls {@link Scheduler#tick}: it steps aside, whoever is
 * ready gets a turn each, and it goes on.
 *
 * <p>Batches run one at a time. A fiber that drives goes on only when those it let run have stepped
 * aside again, so of two batches the second would run to its end inside the first. The semaphore is
 * the JDK's own; blocking on it parks the fiber alone.
 */
final class Batch {
  private static final int STEPS = 400;
  private static final int MAX_STEPS = 2000;
  private static final int ROUNDS = 50_000; // some 5 to 10 ms a step
  private static final int MAX_TURNS = 64; // between two steps, lest others hold the batch up

  private final Semaphore oneAtATime = new Semaphore(1, true);
  private final BooleanSupplier stopping;

  Batch(BooleanSupplier stopping) {
    this.stopping = stopping;
  }

  /** {@code ?steps=} sets how many steps it takes. */
  Response answer(Request request) throws Exception {
    int steps = (int) request.number("steps", STEPS, 1, MAX_STEPS);
    oneAtATime.acquire();
    try {
      return refresh(steps);
    } finally {
      oneAtATime.release();
    }
  }

  private Response refresh(int steps) throws Exception {
    long start = System.nanoTime();
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    byte[] hash = new byte[digest.getDigestLength()];
    int done = 0;
    int resumes = 0;
    while (done < steps && !stopping.getAsBoolean()) {
      step(digest, hash);
      done++;
      resumes += letOthersRun();
    }
    long millis = (System.nanoTime() - start) / 1_000_000;
    String json =
        String.format(
            Locale.ROOT,
            "{\"steps\":%d,\"resumes\":%d,\"millis\":%d,\"digest\":\"%s\"}\n",
            done,
            resumes,
            millis,
            HexFormat.of().formatHex(hash));
    return Response.of(200, "application/json", json).with("Cache-Control", "no-store");
  }

  private static void step(MessageDigest digest, byte[] hash) throws Exception {
    for (int i = 0; i < ROUNDS; i++) {
      digest.update(hash);
      digest.digest(hash, 0, hash.length);
    }
  }

  /** Gives those that are ready their turns; returns how many there were. */
  private static int letOthersRun() {
    Scheduler scheduler = Scheduler.current();
    int turns = 0;
    while (turns < MAX_TURNS && scheduler.tick(0)) {
      turns++;
    }
    return turns;
  }
}
