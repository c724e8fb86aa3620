package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Tools;
import dev.fdfiber.examples.http.Response;
import dev.fdfiber.examples.http.Routes;
import dev.fdfiber.testing.FdTest;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The event stream as a browser sees it: Chromium's EventSource, in a page of the worker. */
@FdTest
class EventSourceTest {
  /** Streams end after three events; the page tells what it saw of seven. */
  private static final String PAGE =
      """
      <!DOCTYPE html>
      <title>events</title>
      <script>
      const seen = [];
      let opens = 0;
      const source = new EventSource('/events?ms=20&count=3');
      source.onopen = () => opens++;
      source.onmessage = event => {
        seen.push(event.lastEventId + '=' + JSON.parse(event.data).n);
        if (seen.length === 7) {
          source.close();
          fetch('/report', {method: 'POST', body: seen.join(' ') + ' in ' + opens + ' streams'});
        }
      };
      </script>
      """;

  @TempDir Path profile;

  @Test
  @Tag("slow")
  void page_getsEvents_andGoesOnWhereItWas_whenAStreamHasEnded() throws Exception {
    BlockingQueue<String> reports = new LinkedBlockingQueue<>();
    try (Serving serving = Serving.start(Serving.ANY_PORT, routes -> add(routes, reports))) {
      Process chromium = chromium(serving.url("/page"));
      try {
        assertThat(reports.poll(2, TimeUnit.MINUTES))
            .isEqualTo("1=1 2=2 3=3 4=4 5=5 6=6 7=7 in 3 streams");
      } finally {
        end(chromium);
      }
    }
  }

  private static void add(Routes routes, BlockingQueue<String> reports) {
    routes.add("/page", Response.of(200, "text/html; charset=utf-8", PAGE));
    routes.add(
        "/report",
        Set.of("POST"),
        request -> {
          reports.add(request.body().text(10_000));
          return Response.empty(204);
        });
  }

  private Process chromium(String url) throws Exception {
    List<String> command =
        List.of(
            Tools.require("chromium").toString(),
            "--headless",
            "--no-sandbox", // which root has to do without
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--user-data-dir=" + profile,
            "--remote-debugging-port=0", // or it would end when the page is there
            url);
    File log = profile.resolve("log").toFile();
    return new ProcessBuilder(command)
        .redirectInput(new File("/dev/null"))
        .redirectErrorStream(true)
        .redirectOutput(log)
        .start();
  }

  private static void end(Process chromium) throws InterruptedException {
    List<ProcessHandle> all = chromium.descendants().toList();
    chromium.destroy();
    if (!chromium.waitFor(20, TimeUnit.SECONDS)) {
      chromium.destroyForcibly().waitFor();
    }
    all.forEach(ProcessHandle::destroyForcibly);
    all.forEach(process -> process.onExit().join());
  }
}
