package dev.fdfiber;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.testing.FdTest;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Exports;
import java.lang.module.ModuleDescriptor.Requires;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the jar tells its users: the module's face, and the flags that java -jar then needs not. */
@FdTest
class PackagingTest {

  @Test
  void module_exportsWhatUsersImport_andNothingElse() throws Exception {
    assertThat(module().exports())
        .allMatch(exports -> !exports.isQualified())
        .extracting(Exports::source)
        .containsExactlyInAnyOrder(
            "dev.fdfiber",
            "dev.fdfiber.fd",
            "dev.fdfiber.inspect",
            "dev.fdfiber.kernel",
            "dev.fdfiber.sock",
            "dev.fdfiber.testing");
    assertThat(module().opens()).isEmpty();
  }

  @Test
  void module_requiresNothingButTheJdkAtRunTime() throws Exception {
    Map<String, Set<Requires.Modifier>> requires =
        module().requires().stream().collect(toMap(Requires::name, Requires::modifiers));

    Set<String> optional =
        Set.of("org.jspecify", "org.junit.jupiter.api", "micrometer.core", "jdk.jfr");
    Set<String> needed = Set.of("java.base", "java.management", "jdk.unsupported");
    assertThat(requires.keySet())
        .containsAll(optional)
        .containsAll(needed)
        .hasSize(optional.size() + needed.size());
    assertThat(optional)
        .allSatisfy(name ->
            assertThat(requires.get(name))
                .containsExactlyInAnyOrder(Requires.Modifier.STATIC, Requires.Modifier.TRANSITIVE));
  }

  @Test
  void manifest_letsDoctorRunWithoutFlags() throws Exception {
    assertThat(Files.readString(Path.of("pom.xml")))
        .contains("<mainClass>dev.fdfiber.Doctor</mainClass>")
        .contains("<Add-Opens>java.base/java.lang</Add-Opens>")
        .contains("<Enable-Native-Access>ALL-UNNAMED</Enable-Native-Access>");
  }

  private static ModuleDescriptor module() throws Exception {
    Path classes = Path.of(Errno.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    return ModuleFinder.of(classes).find("dev.fdfiber").orElseThrow().descriptor();
  }
}
