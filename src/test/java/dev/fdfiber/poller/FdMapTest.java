package dev.fdfiber.poller;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

@FdTest
class FdMapTest {
  @Test
  void get_absent_isMinusOne() {
    FdMap map = new FdMap();
    for (int fd : new int[] {0, 1, 15, 16, Integer.MAX_VALUE, -1, Integer.MIN_VALUE}) {
      assertThat(map.get(fd)).isEqualTo(-1);
    }
  }

  @Test
  void get_negative_isMinusOneAlsoWhereAPlaceWasFreed() {
    FdMap map = new FdMap();
    for (int fd = 0; fd < 16; fd++) {
      map.put(fd, fd + 100);
    }
    for (int fd = 0; fd < 16; fd++) {
      map.remove(fd);
    }
    assertThat(map.get(-1)).isEqualTo(-1);
    assertThat(map.get(Integer.MIN_VALUE)).isEqualTo(-1);
  }

  @Test
  void put_again_replaces() {
    FdMap map = new FdMap();
    map.put(5, 1);
    map.put(5, 2);
    assertThat(map.get(5)).isEqualTo(2);
    map.remove(5);
    assertThat(map.get(5)).isEqualTo(-1);
    map.remove(5);
    assertThat(map.get(5)).isEqualTo(-1);
  }

  @Test
  void collisions_surviveRemovalInAnyOrder() {
    int[] sameHome = {14, 30, 46, 62, 15, 31, 0}; // around the end of a table of 16
    for (int gone : sameHome) {
      FdMap map = new FdMap();
      for (int fd : sameHome) {
        map.put(fd, fd * 10);
      }
      map.remove(gone);
      for (int fd : sameHome) {
        assertThat(map.get(fd))
            .as("fd %d without %d", fd, gone)
            .isEqualTo(fd == gone ? -1 : fd * 10);
      }
    }
  }

  @Test
  void randomUse_agreesWithAHashMap() {
    Random random = new Random(1);
    FdMap map = new FdMap();
    Map<Integer, Integer> model = new HashMap<>();
    for (int i = 0; i < 20_000; i++) {
      int fd = random.nextInt(4) == 0 ? random.nextInt(Integer.MAX_VALUE) : random.nextInt(200);
      if (random.nextInt(3) == 0) {
        map.remove(fd);
        model.remove(fd);
      } else {
        map.put(fd, i);
        model.put(fd, i);
      }
      int asked = random.nextInt(220) - 10;
      assertThat(map.get(asked)).isEqualTo(model.getOrDefault(asked, -1));
    }
    model.forEach((fd, slot) -> assertThat(map.get(fd)).isEqualTo(slot));
  }
}
