package dev.fdfiber.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** The benchmarks: takes turns between the peers, and reports what it saw. */
public final class Main {
  private static final List<Question> QUESTIONS =
      List.of(
          new Yield(),
          new Spawn(),
          new PingPong(),
          new Ready(),
          new Timers(),
          new Echo(),
          new Http(),
          new Memory(),
          new Observed());

  private static final String USAGE =
      """
      usage: bench/run [--quick | --smoke] [--rounds N] [--only TEXT | --goals] [--out DIRECTORY] [QUESTION...]

      Measures fdfiber beside its peers, writes JSON, a table and a chart, and tells which goals are met.

        --quick      one short round: a minute or two, for development
        --smoke      hardly measures at all: shows that everything runs
        --rounds N   how many times each peer gets its turn; five by default
        --only TEXT  only peers whose name contains it
        --goals      only peers that a goal compares, in half the time
        --out DIR    where to write; by default bench/target/results, and bench/results holds what is kept

      Questions, all by default:
      """;

  private Main() {}

  /** Runs the questions that were named. */
  public static void main(String[] args) throws Exception {
    System.setProperty(
        "jmh.ignoreLock", "true"); // other checkouts may measure; that is for people to see
    endChildrenWithUs();
    Pace pace = Pace.FULL;
    int rounds = 0;
    Predicate<Entry> only = entry -> true;
    boolean goals = false;
    Path out = Jvm.target("results");
    List<Question> questions = new ArrayList<>();
    for (int i = 0; i < args.length; i++) {
      switch (args[i]) {
        case "--quick" -> pace = Pace.QUICK;
        case "--smoke" -> pace = Pace.SMOKE;
        case "--rounds" -> rounds = Integer.parseInt(value(args, ++i));
        case "--only" -> {
          String text = value(args, ++i);
          only = entry -> entry.peer().contains(text);
        }
        case "--goals" -> goals = true;
        case "--out" -> out = Path.of(value(args, ++i));
        case "--help", "-h" -> {
          usage(System.out);
          return;
        }
        default -> questions.add(question(args[i]));
      }
    }
    Run run = new Run(pace, rounds > 0 ? rounds : pace.rounds, only, goals);
    List<Result> results = run.ask(questions.isEmpty() ? QUESTIONS : questions);
    Report.write(out, run.facts(), results);
    System.exit(results.stream().anyMatch(Result::hasFailures) ? 1 : 0);
  }

  private static String value(String[] args, int i) {
    if (i == args.length) {
      fail(args[i - 1] + " needs a value");
    }
    return args[i];
  }

  private static Question question(String name) {
    for (Question question : QUESTIONS) {
      if (question.name().equals(name)) {
        return question;
      }
    }
    fail("there is no question " + name);
    throw new AssertionError();
  }

  private static void fail(String why) {
    System.err.println("bench/run: " + why);
    usage(System.err);
    System.exit(2);
  }

  private static void usage(java.io.PrintStream to) {
    to.print(USAGE);
    for (Question question : QUESTIONS) {
      to.printf("  %-10s %s%n", question.name(), question.title());
    }
  }

  /** Whoever ends this process ends what it measures, too. */
  private static void endChildrenWithUs() {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() ->
                ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly)));
  }
}
