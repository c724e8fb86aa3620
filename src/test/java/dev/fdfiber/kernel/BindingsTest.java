package dev.fdfiber.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.libc.LibC;
import dev.fdfiber.testing.FdTest;
import java.io.IOException;
import java.lang.foreign.MemoryLayout;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The generated constants, sizes and offsets are what this machine's C compiler says they are. None
 * is left out: anonymous structs and unions are reached through the member that holds them.
 */
@FdTest
class BindingsTest {
  private static final String GENERATED_ON = "amd64";
  private static final Set<String> DIFFERS_ELSEWHERE = Set.of("epoll_event", "stat");

  /** Something that the bindings state: the symbol it belongs to, and how C asks for it. */
  private record Fact(String symbol, String expression, long value) {
    @Override
    public String toString() {
      return expression + " = " + value;
    }
  }

  /** A line of {@code includes.txt}: {@code --include-struct pollfd}. */
  private record Include(String kind, String symbol) {
    /** What C calls the type. */
    String type() {
      return kind.equals("typedef") ? symbol : kind + " " + symbol;
    }
  }

  private final List<Include> includes;

  BindingsTest() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("jextract", "includes.txt"))) {
      includes =
          lines
              .filter(line -> line.startsWith("--include-"))
              .map(line -> line.substring("--include-".length()).split(" ", 2))
              .map(words -> new Include(words[0], words[1]))
              .toList();
    }
  }

  @Test
  void constants_areThoseOfTheCompiler(@TempDir Path directory) throws Exception {
    List<Fact> facts = new ArrayList<>();
    for (Include include : includes) {
      if (include.kind().equals("constant")) {
        facts.add(constant(include.symbol()));
      }
    }
    assertThat(facts).hasSizeGreaterThan(300);
    compare(directory, facts);
  }

  @Test
  void sizesAndOffsets_areThoseOfTheCompiler(@TempDir Path directory) throws Exception {
    List<Fact> facts = new ArrayList<>();
    for (Include include : types()) {
      Class<?> type = Class.forName("dev.fdfiber.libc." + include.symbol());
      facts.add(
          new Fact(
              include.symbol(), "sizeof(%s)".formatted(include.type()), layout(type).byteSize()));
      addMembers(facts, include, "", type);
    }
    assertThat(facts).hasSizeGreaterThan(200);
    compare(directory, facts);
  }

  @Test
  void everyGeneratedType_isListedInTheIncludes() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("bindings", "dev", "fdfiber", "libc"))) {
      assertThat(files)
          .extracting(file -> file.getFileName().toString().replace(".java", ""))
          .filteredOn(name -> !name.startsWith("LibC"))
          .containsExactlyInAnyOrderElementsOf(types().stream().map(Include::symbol).toList());
    }
  }

  private List<Include> types() {
    Set<String> kinds = Set.of("struct", "union", "typedef");
    return includes.stream().filter(include -> kinds.contains(include.kind())).toList();
  }

  /** Compares as jextract types it: an int, {@code EPOLLET} for one below zero, or a long. */
  private static Fact constant(String name) throws ReflectiveOperationException {
    Method method = LibC.class.getMethod(name);
    String expression = "(%s)(%s)".formatted(method.getReturnType(), name);
    return new Fact(name, expression, ((Number) method.invoke(null)).longValue());
  }

  /** Adds every member of a type, and of the nameless types inside it; path leads to those. */
  private static void addMembers(List<Fact> facts, Include include, String path, Class<?> type)
      throws ReflectiveOperationException {
    String start =
        path.isEmpty() ? "" : " - " + offset(include, path.substring(0, path.length() - 1));
    for (Method method : type.getMethods()) {
      if (method.getName().endsWith("$offset")) {
        String member = path + method.getName().replace("$offset", "");
        String expression = offset(include, member) + start;
        facts.add(new Fact(include.symbol(), expression, (long) method.invoke(null)));
      }
    }
    for (Class<?> nested : type.getClasses()) {
      String member = path + nested.getSimpleName();
      String expression = "sizeof(((%s *) 0)->%s)".formatted(include.type(), member);
      facts.add(new Fact(include.symbol(), expression, layout(nested).byteSize()));
      addMembers(facts, include, member + ".", nested);
    }
  }

  private static String offset(Include include, String member) {
    return "offsetof(%s, %s)".formatted(include.type(), member);
  }

  private static MemoryLayout layout(Class<?> type) throws ReflectiveOperationException {
    return (MemoryLayout) type.getMethod("layout").invoke(null);
  }

  private static void compare(Path directory, List<Fact> facts) throws Exception {
    String body =
        facts.stream()
            .map(fact -> "  printf(\"%%lld\\n\", (long long) (%s));".formatted(fact.expression()))
            .collect(Collectors.joining("\n"));
    List<String> values = CProgram.output(directory, body);
    assertThat(values).hasSameSizeAs(facts);

    String machine = System.getProperty("os.arch");
    List<String> wrong = new ArrayList<>();
    for (int i = 0; i < facts.size(); i++) {
      Fact fact = facts.get(i);
      if (fact.value() == Long.parseLong(values.get(i))) {
        continue;
      }
      String difference = fact + ", but the compiler says " + values.get(i);
      if (!machine.equals(GENERATED_ON) && DIFFERS_ELSEWHERE.contains(fact.symbol())) {
        System.out.printf(
            "Known to differ between %s and %s: %s%n", GENERATED_ON, machine, difference);
      } else {
        wrong.add(difference);
      }
    }
    assertThat(wrong)
        .as("bindings generated on %s, compared on %s", GENERATED_ON, machine)
        .isEmpty();
  }
}
