package dev.fdfiber.inspect;

import java.util.Arrays;

/**
 * How often times of which length were seen. Immutable.
 *
 * <p>The buckets are fixed: four for each power of two of nanoseconds, so a time that is read off
 * here is too large by a quarter at most; the last one holds everything over half an hour.
 */
public final class Histogram {
  private static final int HIGHEST_EXPONENT = 41;
  private static final int BUCKETS = HIGHEST_EXPONENT * 4;

  private final long[] counts;
  private final long count;
  private final long totalNanos;

  private Histogram(long[] counts, long totalNanos) {
    this.counts = counts;
    this.count = Arrays.stream(counts).sum();
    this.totalNanos = totalNanos;
  }

  /** Counts while others read. One thread at a time may record. */
  static final class Recorder {
    private final Counters counts = new Counters(BUCKETS + 1); // and the total

    void record(long nanos) {
      counts.add(bucketOf(nanos), 1);
      counts.add(BUCKETS, Math.max(0, nanos));
    }

    Histogram histogram() {
      long[] now = new long[BUCKETS];
      Arrays.setAll(now, counts::get);
      return new Histogram(now, counts.get(BUCKETS));
    }
  }

  private static int bucketOf(long nanos) {
    if (nanos < 4) {
      return (int) Math.max(0, nanos);
    }
    int exponent = Long.SIZE - 1 - Long.numberOfLeadingZeros(nanos);
    int quarter = (int) (nanos >>> (exponent - 2)) & 3;
    return Math.min((exponent - 1) * 4 + quarter, BUCKETS - 1);
  }

  /** The longest time that falls into a bucket. */
  private static long longestOf(int bucket) {
    if (bucket < 4) {
      return bucket;
    }
    if (bucket == BUCKETS - 1) {
      return Long.MAX_VALUE;
    }
    int exponent = bucket / 4 + 1;
    return ((bucket % 4 + 5L) << (exponent - 2)) - 1;
  }

  /** How many times were seen. */
  public long count() {
    return count;
  }

  /** All of them together. */
  public long totalNanos() {
    return totalNanos;
  }

  /**
   * The time that so many percent do not exceed: 50 is the median, 100 the longest. Rounded up to
   * the end of its bucket; 0 if nothing was seen.
   *
   * @throws IllegalArgumentException unless {@code percent} is from 0 to 100
   */
  public long percentileNanos(double percent) {
    if (!(percent >= 0 && percent <= 100)) {
      throw new IllegalArgumentException("percent " + percent + " is not from 0 to 100");
    }
    long rank = Math.max(1, (long) Math.ceil(count * percent / 100));
    long seen = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
      seen += counts[bucket];
      if (seen >= rank) {
        return longestOf(bucket);
      }
    }
    return 0;
  }

  /** How many times did not exceed a length, which is rounded up to the end of its bucket. */
  public long countUpTo(long nanos) {
    return Arrays.stream(counts, 0, bucketOf(nanos) + 1).sum();
  }

  /** What was seen since an earlier one of the same origin. */
  public Histogram since(Histogram earlier) {
    long[] difference = new long[BUCKETS];
    Arrays.setAll(difference, i -> counts[i] - earlier.counts[i]);
    return new Histogram(difference, totalNanos - earlier.totalNanos);
  }

  @Override
  public String toString() {
    return "%d times, median %d ns, 99 %% %d ns, longest %d ns"
        .formatted(count, percentileNanos(50), percentileNanos(99), percentileNanos(100));
  }
}
