package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.DocExamples;
import dev.fdfiber.testing.FdTest;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README shows is what the library does. */
@FdTest
class ReadmeTest {
  @TempDir Path dir;

  @Test
  @Tag("slow")
  void example_compiledAndRun_printsHello() throws Exception {
    String readme = Files.readString(Path.of("README.md"));
    assertThat(run(DocExamples.javaBlocks(readme).getFirst())).isEqualTo("hello\n");
  }

  @Test
  void screen_countedInLines_holdsTheCommandsTheExampleAndTheFlag() throws Exception {
    String readme = Files.readString(Path.of("README.md"));
    List<String> lines = readme.lines().toList();
    String screen = String.join("\n", lines.subList(0, Math.min(60, lines.size())));
    assertThat(screen)
        .contains("mvn -q -DskipTests compile exec:exec", "mvn verify", "scheduler.spawn")
        .contains(SetupHelp.flags());
  }

  @Test
  void table_ofTheAncestor_namesMethodsThatExist() throws Exception {
    List<String> methods = new java.util.ArrayList<>();
    for (Class<?> type : List.of(Scheduler.class, Fiber.class, dev.fdfiber.sock.Sock.class)) {
      for (var method : type.getMethods()) {
        methods.add(type.getSimpleName() + "." + method.getName());
      }
    }
    List<String> named =
        Pattern.compile("\\| `[^|]+` \\| `([A-Za-z]+)\\.([a-zA-Z]+)\\(")
            .matcher(Files.readString(Path.of("README.md")))
            .results()
            .map(m -> m.group(1).replace("scheduler", "Scheduler") + "." + m.group(2))
            .toList();
    assertThat(named).hasSizeGreaterThan(10).isSubsetOf(methods);
  }

  private String run(String body) throws Exception {
    String source =
        "import dev.fdfiber.*; import dev.fdfiber.sock.*; import java.nio.charset.*;\n"
            + "public class Example { public static void main(String[] args) throws Exception {\n"
            + body
            + "}}";
    DocExamples.compile(dir, "Example", source);
    try (URLClassLoader loader = new URLClassLoader(new URL[] {dir.toUri().toURL()})) {
      return output(loader.loadClass("Example"));
    }
  }

  private static String output(Class<?> program) throws Exception {
    PrintStream before = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      program.getMethod("main", String[].class).invoke(null, (Object) new String[0]);
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
