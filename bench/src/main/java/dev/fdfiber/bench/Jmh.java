package dev.fdfiber.bench;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * A sample by JMH: one fork of one benchmark. JMH by itself would run all forks of a peer before
 * those of the next, and so compare minutes that lie apart; here the caller takes turns.
 */
final class Jmh {
  private static final int WARM_UPS = 2;
  private static final int ITERATIONS = 3;

  private Jmh() {}

  static Entry.Sampler of(Class<?> benchmark, Map<String, String> parameters) {
    return of(benchmark, parameters, List.of());
  }

  static Entry.Sampler of(
      Class<?> benchmark, Map<String, String> parameters, List<String> jvmFlags) {
    return pace -> sample(benchmark, parameters, jvmFlags, pace);
  }

  private static double sample(
      Class<?> benchmark, Map<String, String> parameters, List<String> jvmFlags, Pace pace)
      throws RunnerException {
    Path log = Jvm.target("jmh.log");
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("^" + Pattern.quote(benchmark.getCanonicalName() + ".") + "\\w+$")
            .jvm(Jvm.executable().toString())
            .jvmArgs(Jvm.flags(jvmFlags).toArray(String[]::new))
            .forks(1)
            .warmupIterations(WARM_UPS)
            .warmupTime(TimeValue.milliseconds(pace.warmUpMillis / WARM_UPS))
            .measurementIterations(ITERATIONS)
            .measurementTime(TimeValue.milliseconds(pace.measureMillis / ITERATIONS))
            .shouldFailOnError(true)
            .output(log.toString());
    parameters.forEach(options::param);
    Collection<RunResult> results;
    try {
      results = new Runner(options.build()).run();
    } catch (RunnerException e) {
      throw new RunnerException("JMH failed, see " + log, e);
    }
    return results.iterator().next().getPrimaryResult().getStatistics().getPercentile(50);
  }
}
