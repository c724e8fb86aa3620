package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.FdTest;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What sd_listen_fds(3) says about the environment. */
@FdTest
class SystemdSocketsTest {
  private static final Set<String> ALL = Set.of();

  private static int[] find(Set<String> names, String... environment) {
    Map<String, String> map = new HashMap<>();
    for (int i = 0; i < environment.length; i += 2) {
      map.put(environment[i], environment[i + 1]);
    }
    return SystemdSockets.find(map, 77, names);
  }

  @Test
  void descriptorsForThisProcess_areCountedFromThree() {
    assertThat(find(ALL, "LISTEN_PID", "77", "LISTEN_FDS", "2")).containsExactly(3, 4);
    assertThat(find(ALL, "LISTEN_PID", "77", "LISTEN_FDS", "0")).isEmpty();
  }

  @Test
  void descriptorsForAnotherProcess_orForNone_areLeftAlone() {
    assertThat(find(ALL)).isEmpty();
    assertThat(find(ALL, "LISTEN_FDS", "2")).isEmpty();
    assertThat(find(ALL, "LISTEN_PID", "77")).isEmpty();
    assertThat(find(ALL, "LISTEN_PID", "7", "LISTEN_FDS", "2")).isEmpty();
    assertThat(find(ALL, "LISTEN_PID", "x", "LISTEN_FDS", "2")).isEmpty();
  }

  @Test
  void names_chooseAmongThem() {
    String[] three = {"LISTEN_PID", "77", "LISTEN_FDS", "3", "LISTEN_FDNAMES", "http:https:http"};
    assertThat(find(Set.of("http"), three)).containsExactly(3, 5);
    assertThat(find(Set.of("https", "http"), three)).containsExactly(3, 4, 5);
    assertThat(find(Set.of("other"), three)).isEmpty();
    assertThat(find(ALL, three)).containsExactly(3, 4, 5);
    // Without names, or with fewer, what has none is only taken by those who take all.
    assertThat(find(Set.of("http"), "LISTEN_PID", "77", "LISTEN_FDS", "2")).isEmpty();
    assertThat(find(Set.of("a"), "LISTEN_PID", "77", "LISTEN_FDS", "2", "LISTEN_FDNAMES", "a"))
        .containsExactly(3);
  }

  @Test
  void countThatIsNone_isAnErrorThatSaysSo() {
    for (String count : new String[] {"-1", "x", "", "10000000"}) {
      assertThatThrownBy(() -> find(ALL, "LISTEN_PID", "77", "LISTEN_FDS", count))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("LISTEN_FDS is " + count + ", which is no count");
    }
  }
}
