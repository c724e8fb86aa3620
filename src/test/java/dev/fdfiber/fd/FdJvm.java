package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.Launched;
import java.util.ArrayList;
import java.util.List;

/** A JVM of its own, on the poller of this one: to be given descriptors, or a namespace. */
final class FdJvm {
  private static final String POLLER = "dev.fdfiber.poller";

  private FdJvm() {}

  /** The words that run a main class with this JVM's class path. */
  static List<String> words(Class<?> main, String... arguments) {
    List<String> words = new ArrayList<>();
    words.add(ProcessHandle.current().info().command().orElseThrow());
    words.addAll(ChildJvm.FIBER_FLAGS);
    String poller = System.getProperty(POLLER);
    if (poller != null) {
      words.add("-D" + POLLER + "=" + poller);
    }
    words.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    words.addAll(List.of(arguments));
    return words;
  }

  /** Runs a command that ends by saying that all is well; else shows what it said. */
  static void assertWell(Command command) throws Exception {
    try (Pipe out = Pipe.open();
        PidFd child = PidFd.spawn(command.fd(1, out.writeFd()).fd(2, out.writeFd()))) {
      out.closeWriter();
      assertThat(PidFdTest.readAll(out.reader())).endsWith("all is well\n");
      assertThat(child.await()).isEqualTo(new PidFd.Exited(0));
    }
  }

  /** Runs the tests of a class, and says how that was. */
  static final class Contract {
    public static void main(String[] args) throws Exception {
      Launched launched = Launched.run(Class.forName(args[0]));
      launched
          .failures()
          .forEach((test, thrown) -> {
            System.out.println(test);
            thrown.printStackTrace(System.out);
          });
      boolean well = launched.failures().isEmpty() && launched.tests() > 10;
      System.out.println(launched.tests() + " tests\n" + (well ? "all is well" : "not so well"));
    }
  }
}
