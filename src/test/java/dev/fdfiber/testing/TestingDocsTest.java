package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of docs/testing.md do what it says: those called ...Fails fail, and how. */
@FdTest(limitSeconds = 300)
class TestingDocsTest {
  private static final Pattern CLASS = Pattern.compile("^class (\\w+) ");
  private static final String IMPORTS =
      """
      import static org.junit.jupiter.api.Assertions.assertEquals;
      import dev.fdfiber.*; import dev.fdfiber.kernel.*; import dev.fdfiber.sock.*;
      import dev.fdfiber.testing.*; import java.time.*; import java.util.*;
      """;

  @TempDir Path dir;

  @Test
  @Tag("slow")
  void examples_passOrFail_asTheirNamesSay() throws Exception {
    String page = Files.readString(Path.of("docs/testing.md"));
    List<String> names = new ArrayList<>();
    for (String block : DocExamples.javaBlocks(page)) {
      names.add(compiled(block));
    }
    assertThat(names).hasSize(6);
    try (URLClassLoader loader = new URLClassLoader(new URL[] {dir.toUri().toURL()})) {
      for (String name : names) {
        Launched launched = Launched.run(loader.loadClass(name));
        assertThat(launched.tests()).as(name).isOne();
        if (name.endsWith("Fails")) {
          assertThat(launched.failure()).as(name).isNotNull();
          assertThat(page).contains(firstWords(launched.failure().getMessage()));
        } else {
          assertThat(launched.failure()).as(name).isNull();
        }
      }
    }
  }

  /** The first line of a message, which the page shows. */
  private static String firstWords(String message) {
    return message.lines().findFirst().orElseThrow();
  }

  private String compiled(String block) throws Exception {
    Matcher matcher = CLASS.matcher(block);
    assertThat(matcher.find()).as(block).isTrue();
    String name = matcher.group(1);
    DocExamples.compile(dir, name, IMPORTS + block);
    return name;
  }
}
