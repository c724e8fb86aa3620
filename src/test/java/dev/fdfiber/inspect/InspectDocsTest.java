package dev.fdfiber.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.DocExamples;
import dev.fdfiber.testing.FdTest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import jdk.jfr.EventType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/inspect.md shows compiles and runs, and its table of events is whole. */
@FdTest(limitSeconds = 300)
class InspectDocsTest {
  @TempDir Path dir;

  private static String section(String title) throws Exception {
    String docs = Files.readString(Path.of("docs/inspect.md"));
    return docs.split("\n## " + title + "\n", 2)[1].split("\n## ", 2)[0];
  }

  @Test
  @Tag("slow")
  void examples_compileAndRun() throws Exception {
    Path trace = dir.resolve("trace.json");
    String docs = Files.readString(Path.of("docs/inspect.md"));
    List<String> examples =
        DocExamples.javaBlocks(docs).stream()
            .map(text -> text.replace("trace.json", trace.toString()))
            .map(text -> text.replaceAll("\\b(7070|8080)\\b", "0")) // any port
            .map(text -> text.replace("\"0.0.0.0\"", "\"127.0.0.2\""))
            .map(text -> text.replace("System.getenv(\"FIBERS_TOKEN\")", "\"0123456789abcdef\""))
            .toList();
    assertThat(examples).hasSizeGreaterThan(4);
    StringBuilder main = new StringBuilder();
    StringBuilder methods = new StringBuilder();
    for (int i = 0; i < examples.size(); i++) {
      main.append("run(Docs::example%d);\n".formatted(i));
      methods.append(
          "static void example%d(Scheduler scheduler) throws Exception {\n".formatted(i));
      methods.append(examples.get(i)).append("}\n");
    }
    DocExamples.compile(dir, "Docs", program(main.toString(), methods.toString()));
    ChildJvm.Result result = new ChildJvm(ChildJvm.FIBER_FLAGS).withClasses(dir).run(dir, "Docs");
    assertThat(result.errors()).isEmpty();
    assertThat(result.status()).isZero();
    assertThat(result.out())
        .contains("MetricsSnapshot[resumes=2, ")
        .containsPattern("\nhttp://localhost:\\d+\n")
        .endsWith("end\n");
    assertThat(trace).content().contains("\"name\":\"run\"");
  }

  /** Runs each example with a scheduler that has a fiber of two turns. */
  private static String program(String main, String methods) {
    return """
    import com.sun.net.httpserver.HttpServer;
    import dev.fdfiber.*;
    import dev.fdfiber.inspect.*;
    import java.io.OutputStream;
    import java.net.InetSocketAddress;
    import java.nio.charset.StandardCharsets;
    import java.nio.file.Path;
    import java.util.*;
    import java.util.concurrent.Executors;
    public class Docs {
      interface Example {
        void run(Scheduler scheduler) throws Exception;
      }
      static void run(Example example) throws Exception {
        try (Scheduler scheduler = Scheduler.create()) {
          scheduler.spawn(() -> Scheduler.pause(0));
          example.run(scheduler);
        }
      }
      public static void main(String[] args) throws Exception {
        %s
        System.out.println("end");
        System.exit(0); // some examples serve until then
      }
      %s
    }
    """
        .formatted(main, methods);
  }

  @Test
  void tableOfEvents_namesEveryEvent() throws Exception {
    Set<String> events =
        FlightRecordingTest.EVENTS.stream()
            .map(type -> EventType.getEventType(type).getName())
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> named =
        Pattern.compile("`(dev\\.fdfiber\\.[A-Z]\\w+)`")
            .matcher(section("JDK Flight Recorder"))
            .results()
            .map(m -> m.group(1))
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(named).isEqualTo(events);
  }
}
