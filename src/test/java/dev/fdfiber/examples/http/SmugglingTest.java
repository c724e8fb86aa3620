package dev.fdfiber.examples.http;

import static dev.fdfiber.examples.http.Served.get;
import static dev.fdfiber.examples.http.Served.post;
import static dev.fdfiber.examples.http.Served.statuses;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.FdTest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What leaves in doubt where a body ends is refused, RFC 9112 sections 6 and 11.2: a request hidden
 * in it is never served.
 */
@FdTest
class SmugglingTest {
  private final List<String> served = new ArrayList<>();
  private Served server;

  @BeforeEach
  void serve(Scheduler scheduler) {
    server = new Served(scheduler, this::note);
  }

  @ParameterizedTest
  @CsvSource({
    "400, 'Content-Length: 6\\r\\nTransfer-Encoding: chunked\\r\\n', '0\\r\\n\\r\\n'",
    "400, 'Transfer-Encoding: chunked\\r\\nContent-Length: 6\\r\\n', '0\\r\\n\\r\\n'",
    "400, 'Content-Length: 0\\r\\nContent-Length: 5\\r\\n', ''",
    "400, 'Content-Length: 0\\r\\nContent-Length: 0\\r\\n', ''",
    "400, 'Content-Length: 0, 0\\r\\n', ''",
    "400, 'Content-Length: +0\\r\\n', ''",
    "400, 'Content-Length: -1\\r\\n', ''",
    "400, 'Content-Length: 0x0\\r\\n', ''",
    "400, 'Content-Length:\\r\\n', ''",
    "400, 'Content-Length : 0\\r\\n', ''",
    "400, 'X: y\\r\\n Content-Length: 0\\r\\n', ''",
    "413, 'Content-Length: 99999999999999999999999999\\r\\n', ''",
    "400, 'Transfer-Encoding: chunked\\r\\nTransfer-Encoding: chunked\\r\\n', '0\\r\\n\\r\\n'",
    "501, 'Transfer-Encoding: chunked, chunked\\r\\n', '0\\r\\n\\r\\n'",
    "501, 'Transfer-Encoding: gzip, chunked\\r\\n', '0\\r\\n\\r\\n'",
    "501, 'Transfer-Encoding: identity\\r\\n', ''",
    "501, 'Transfer-Encoding: xchunked\\r\\n', '0\\r\\n\\r\\n'",
    "501, 'Transfer-Encoding: \"chunked\"\\r\\n', '0\\r\\n\\r\\n'",
    "501, 'Transfer-Encoding:\\r\\n', '0\\r\\n\\r\\n'",
    "400, 'Transfer-Encoding : chunked\\r\\n', '0\\r\\n\\r\\n'",
    "400, 'Transfer-Encoding:\\x0bchunked\\r\\n', '0\\r\\n\\r\\n'",
    "501, 'Transfer-Encoding:\\r\\n chunked\\r\\n', '0\\r\\n\\r\\n'",
  })
  void doubtfulLength_isRefused_andWhatFollowsIsNotServed(String status, String lines, String body)
      throws Exception {
    assertThat(statuses(answers(raw(lines), raw(body)))).containsExactly(status);
    assertThat(served).isEmpty();
  }

  @Test
  void coding_inHttp10_isRefused() throws Exception {
    String request = post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n").replace("1.1", "1.0");
    assertThat(statuses(server.say(request + get("/hidden")))).containsExactly("400");
    assertThat(served).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "'x\\r\\n0\\r\\n\\r\\n'",
    "'\\r\\n0\\r\\n\\r\\n'",
    "'-1\\r\\n0\\r\\n\\r\\n'",
    "'+1\\r\\na\\r\\n0\\r\\n\\r\\n'",
    "'0x1\\r\\na\\r\\n0\\r\\n\\r\\n'",
    "' 1\\r\\na\\r\\n0\\r\\n\\r\\n'",
    "'1 \\r\\na\\r\\n0\\r\\n\\r\\n'",
    "'1 a\\r\\na\\r\\n0\\r\\n\\r\\n'",
    "'1\\na\\r\\n0\\r\\n\\r\\n'",
    "'1\\ra\\r\\n0\\r\\n\\r\\n'",
    "'1;a\\nb\\r\\na\\r\\n0\\r\\n\\r\\n'",
    "'1;a\\rb\\r\\na\\r\\n0\\r\\n\\r\\n'",
    "'1;\\x00\\r\\na\\r\\n0\\r\\n\\r\\n'",
    "'1\\r\\nab\\r\\n0\\r\\n\\r\\n'",
    "'1\\r\\na\\n0\\r\\n\\r\\n'",
    "'1\\r\\na0\\r\\n\\r\\n'",
    "'1\\r\\na\\r\\r\\n0\\r\\n\\r\\n'",
    "'fffffffffffffffff\\r\\na\\r\\n0\\r\\n\\r\\n'",
    "'10000000000000001\\r\\na\\r\\n0\\r\\n\\r\\n'",
    "'0\\r\\nno colon\\r\\n\\r\\n'",
    "'0\\r\\nX : y\\r\\n\\r\\n'",
    "'0\\r\\n folded\\r\\n\\r\\n'",
    "'0\\r\\nX: y\\n\\r\\n'",
    "'0\\r\\n\\n'",
  })
  void malformedChunk_is400_andWhatFollowsIsNotServed(String body) throws Exception {
    String answers = answers("Transfer-Encoding: chunked\r\n", raw(body));

    assertThat(statuses(answers)).containsExactly("400");
    assertThat(served).isEmpty();
  }

  private String answers(String lines, String body) throws Exception {
    return server.say(post(lines, body + get("/hidden")));
  }

  private Response note(Request request) throws Exception {
    byte[] body = request.body().all(1 << 20);
    served.add(request.path());
    return Response.of(200, "text/plain", body);
  }

  /** Undoes the escapes that a table needs. */
  private static String raw(String escaped) {
    return escaped
        .replace("\\r", "\r")
        .replace("\\n", "\n")
        .replace("\\x0b", "\u000b")
        .replace("\\x00", "\0");
  }
}
