package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;

/** The examples in the project's pages, as programs. */
public final class DocExamples {
  private static final Pattern JAVA = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  private DocExamples() {}

  /** The Java code that a page shows, block by block. */
  public static List<String> javaBlocks(String page) {
    return JAVA.matcher(page).results().map((MatchResult m) -> m.group(1)).toList();
  }

  /** Compiles a class, with those of the tests on its class path, into a directory. */
  public static void compile(Path dir, String name, CharSequence source) throws IOException {
    Path file = Files.writeString(dir.resolve(name + ".java"), source);
    String classPath = System.getProperty("java.class.path");
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(null, null, null, "-cp", classPath, "-d", dir.toString(), file.toString());
    assertThat(status).as("exit status of javac for %s", name).isZero();
  }
}
