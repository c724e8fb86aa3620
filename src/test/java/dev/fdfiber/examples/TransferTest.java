package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** 100 MB up and down with curl: the checksums are equal. */
@FdTest
@Tag("slow")
class TransferTest {
  private static final int MEGABYTES = 100;

  @TempDir Path directory;

  @Test
  void upAndDown_withCurl_hashTheSame() throws Exception {
    Path file = directory.resolve("up.bin");
    String hash = Checksums.write(file, MEGABYTES);
    Path down = directory.resolve("down.bin");
    try (Serving serving = Serving.start(Serving.ANY_PORT.withFiles(directory))) {
      String digest = "{\"bytes\":100000000,\"sha256\":\"" + hash + "\"}";
      String to = serving.url("/digest");
      assertThat(Curl.lines("-T", "" + file, to)).containsExactly(digest);
      assertThat(Curl.lines("-H", "Transfer-Encoding: chunked", "-T", "" + file, to))
          .containsExactly(digest);

      Curl.lines("-o", "" + down, serving.url("/files/up.bin"));
      assertThat(Checksums.of(down)).isEqualTo(hash);
    }
  }
}
