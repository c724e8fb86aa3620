package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Fiber;
import dev.fdfiber.Tools;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A Maven project of somebody else, with nothing but the jar and JUnit on its path, runs an
 * {@code @FdTest}. Offline, with the versions that this build has fetched.
 */
@FdTest(limitSeconds = 600)
class OutsideProjectTest {
  private static final String TEST =
      """
      package outside;

      import static org.junit.jupiter.api.Assertions.assertEquals;

      import dev.fdfiber.Scheduler;
      import dev.fdfiber.testing.FdTest;
      import dev.fdfiber.testing.Fds;
      import dev.fdfiber.testing.Pipe;
      import dev.fdfiber.testing.VirtualClock;
      import java.time.Duration;

      class OutsideTest {
        @FdTest
        void anHour(Scheduler scheduler, VirtualClock clock, Pipe pipe) {
          scheduler.spawn("late", () -> {
            Scheduler.pause(3600);
            Fds.write(pipe.writeFd(), "x");
          });
          scheduler.spawn(() -> Scheduler.ioWait(pipe.readFd(), Scheduler.READ, -1));
          scheduler.run();
          assertEquals(Duration.ofHours(1), clock.elapsed());
        }

        @FdTest
        void leaks(Scheduler scheduler, Pipe pipe) {
          scheduler.spawn("forgotten", () -> Scheduler.ioWait(pipe.readFd(), Scheduler.READ, -1));
          scheduler.runUntilEmpty();
        }
      }
      """;

  private static final String POM =
      """
      <project xmlns="http://maven.apache.org/POM/4.0.0">
        <modelVersion>4.0.0</modelVersion>
        <groupId>outside</groupId>
        <artifactId>outside</artifactId>
        <version>1</version>
        <properties>
          <maven.compiler.release>22</maven.compiler.release>
          <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
        </properties>
        <dependencies>
          <dependency>
            <groupId>dev.fdfiber</groupId>
            <artifactId>fdfiber</artifactId>
            <version>0</version>
            <scope>system</scope>
            <systemPath>@JAR@</systemPath>
          </dependency>
          <dependency>
            <groupId>org.junit.jupiter</groupId>
            <artifactId>junit-jupiter</artifactId>
            <version>@JUNIT@</version>
            <scope>test</scope>
          </dependency>
        </dependencies>
        <build>
          <plugins>
            <plugin>
              <artifactId>maven-resources-plugin</artifactId>
              <version>@RESOURCES@</version>
            </plugin>
            <plugin>
              <artifactId>maven-compiler-plugin</artifactId>
              <version>@COMPILER@</version>
            </plugin>
            <plugin>
              <artifactId>maven-surefire-plugin</artifactId>
              <version>@SUREFIRE@</version>
              <configuration>
                <argLine>@FLAGS@</argLine>
                <trimStackTrace>false</trimStackTrace>
              </configuration>
            </plugin>
          </plugins>
        </build>
      </project>
      """;

  @TempDir Path dir;

  @Test
  @Tag("slow")
  void fdTest_runsInAProjectOfItsOwn_andFailsForWhatItLeavesBehind() throws Exception {
    String maven = Tools.require("mvn").toString();
    String build = Files.readString(Path.of("pom.xml"));
    Path jar = dir.resolve("fdfiber.jar");
    Path classes = Path.of(Fiber.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    int status =
        ToolProvider.findFirst("jar")
            .orElseThrow()
            .run(System.out, System.err, "-cf", jar.toString(), "-C", classes.toString(), ".");
    assertThat(status).isZero();
    String pom =
        POM.replace("@JAR@", jar.toString())
            .replace("@JUNIT@", found(build, "<junit.version>([^<]+)<"))
            .replace("@RESOURCES@", plugin(build, "maven-resources-plugin"))
            .replace("@COMPILER@", plugin(build, "maven-compiler-plugin"))
            .replace("@SUREFIRE@", plugin(build, "maven-surefire-plugin"))
            .replace("@FLAGS@", String.join(" ", ChildJvm.FIBER_FLAGS));
    Files.writeString(dir.resolve("pom.xml"), pom);
    Path source = dir.resolve("src/test/java/outside/OutsideTest.java");
    Files.createDirectories(source.getParent());
    Files.writeString(source, TEST);

    List<String> command = new ArrayList<>(List.of(maven, "-o", "-B", "test"));
    String repository = System.getProperty("maven.repo.local");
    if (repository != null) {
      command.add("-Dmaven.repo.local=" + repository);
    }
    Path out = dir.resolve("out");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.directory(dir.toFile()).redirectErrorStream(true).redirectOutput(out.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().keySet().removeAll(List.of("MAVEN_OPTS", "MAVEN_ARGS"));
    Process process = builder.start();
    if (!process.waitFor(5, TimeUnit.MINUTES)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
    assertThat(out)
        .content()
        .contains("Tests run: 2, Failures: 1, Errors: 0, Skipped: 0")
        .contains("1 fiber is still alive at the end of the test:")
        .contains("fiber \"forgotten\" waits for pipe.readFd (fd ")
        .contains("outside.OutsideTest.lambda$leaks$");
  }

  private static String plugin(String pom, String name) {
    return found(pom, "<artifactId>" + name + "</artifactId>\\s*<version>([^<]+)<");
  }

  private static String found(String text, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    assertThat(matcher.find()).as(pattern).isTrue();
    return matcher.group(1);
  }
}
