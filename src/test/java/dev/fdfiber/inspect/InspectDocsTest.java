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

/** What docs/inspect.md shows of metrics, recordings and traces is so. */
@FdTest(limitSeconds = 300)
class InspectDocsTest {
  @TempDir Path dir;

  private static String section(String title) throws Exception {
    String docs = Files.readString(Path.of("docs/inspect.md"));
    return docs.split("\n## " + title + "\n", 2)[1].split("\n## ", 2)[0];
  }

  private static String example(String title) throws Exception {
    List<String> blocks = DocExamples.javaBlocks(section(title));
    assertThat(blocks).hasSize(1);
    return blocks.getFirst();
  }

  @Test
  @Tag("slow")
  void examples_compileAndRun() throws Exception {
    Path trace = dir.resolve("trace.json");
    String source =
        """
        import dev.fdfiber.*;
        import dev.fdfiber.inspect.*;
        import java.nio.file.Path;
        public class Docs {
          public static void main(String[] args) throws Exception {
            Scheduler scheduler = Scheduler.create();
            scheduler.spawn(() -> Scheduler.pause(0));
            %s
            scheduler.spawn(() -> Scheduler.pause(0));
            %s
          }
        }
        """
            .formatted(
                example("Metrics"),
                example("A schedule trace").replace("trace.json", trace.toString()));
    DocExamples.compile(dir, "Docs", source);
    ChildJvm.Result result = new ChildJvm(ChildJvm.FIBER_FLAGS).withClasses(dir).run(dir, "Docs");
    assertThat(result.errors()).isEmpty();
    assertThat(result.out()).startsWith("MetricsSnapshot[resumes=2, ");
    assertThat(trace).content().contains("\"name\":\"run\"");
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
