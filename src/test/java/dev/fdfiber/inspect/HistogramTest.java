package dev.fdfiber.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.FdTest;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Percentiles of a histogram, beside those of the sorted times. */
@FdTest
class HistogramTest {
  private static Histogram of(long... times) {
    Histogram.Recorder recorder = new Histogram.Recorder();
    LongStream.of(times).forEach(recorder::record);
    return recorder.histogram();
  }

  @Test
  void percentile_isTooLargeByAQuarterAtMost() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    long[] times = random.longs(10_000, 0, 50).map(bits -> random.nextLong(1L << bits)).toArray();
    Histogram histogram = of(times);
    long[] sorted = LongStream.of(times).map(t -> Math.min(t, 1L << 40)).sorted().toArray();
    for (double percent : new double[] {0, 1, 10, 50, 75}) {
      int rank = (int) Math.max(1, Math.ceil(sorted.length * percent / 100));
      long exact = sorted[rank - 1];
      assertThat(histogram.percentileNanos(percent))
          .as("%s %% with seed %s", percent, seed)
          .isBetween(exact, exact + exact / 4 + 1);
    }
  }

  @Test
  void everyTime_fallsIntoABucketThatHoldsIt() {
    for (int shift = 0; shift < 41; shift++) {
      for (long time : new long[] {(1L << shift) - 1, 1L << shift, (1L << shift) + 1}) {
        assertThat(of(time).percentileNanos(50)).isBetween(time, time + time / 4);
      }
    }
  }

  @Test
  void extremes_haveBucketsToo() {
    assertThat(of().percentileNanos(50)).isZero();
    assertThat(of(-5).percentileNanos(100)).isZero();
    assertThat(of(-5).totalNanos()).isZero();
    assertThat(of(Long.MAX_VALUE).percentileNanos(0)).isEqualTo(Long.MAX_VALUE);
    assertThatThrownBy(() -> of().percentileNanos(Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> of().percentileNanos(100.1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void since_isWhatCameBetween() {
    Histogram.Recorder recorder = new Histogram.Recorder();
    recorder.record(1_000_000);
    Histogram before = recorder.histogram();
    recorder.record(2);
    recorder.record(3);
    Histogram between = recorder.histogram().since(before);
    assertThat(between.count()).isEqualTo(2);
    assertThat(between.totalNanos()).isEqualTo(5);
    assertThat(between.percentileNanos(100)).isEqualTo(3);
    assertThat(between.countUpTo(2)).isOne();
    assertThat(between).hasToString("2 times, median 2 ns, 99 % 3 ns, longest 3 ns");
  }
}
