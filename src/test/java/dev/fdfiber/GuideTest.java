package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.DocExamples;
import dev.fdfiber.testing.FdTest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the guide shows compiles, runs, and prints what the guide says. */
@Tag("slow")
@FdTest(limitSeconds = 300)
class GuideTest {
  private static final Pattern EXAMPLE =
      Pattern.compile("```java\n(.*?)```\n\n(?s:.*?)It prints `([^`]*)`", Pattern.DOTALL);

  private static final String IMPORTS =
      """
      import dev.fdfiber.*;
      import java.io.*;
      import java.nio.file.*;
      import java.time.*;
      import java.util.concurrent.*;
      """;

  @TempDir Path dir;

  @Test
  void examples_print_whatTheGuideSays() throws Exception {
    String guide = Files.readString(Path.of("docs/guide.md"));
    List<MatchResult> examples = EXAMPLE.matcher(guide).results().toList();
    assertThat(examples).hasSameSizeAs(DocExamples.javaBlocks(guide)).hasSizeGreaterThan(6);
    StringBuilder source = new StringBuilder(IMPORTS);
    source.append(
        "public class Guide { public static void main(String[] args) throws Exception {\n");
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < examples.size(); i++) {
      source.append("example").append(i).append("();\n");
      expected.add(examples.get(i).group(2));
    }
    source.append("}\n");
    for (int i = 0; i < examples.size(); i++) {
      source.append("static void example").append(i).append("() throws Exception {\n");
      source.append(examples.get(i).group(1)).append("}\n");
    }
    DocExamples.compile(dir, "Guide", source.append("}\n"));
    ChildJvm.Result result = new ChildJvm(ChildJvm.FIBER_FLAGS).withClasses(dir).run(dir, "Guide");
    assertThat(result.out().lines()).as(result.errors()).containsExactlyElementsOf(expected);
    assertThat(result.errors()).isEmpty();
  }
}
