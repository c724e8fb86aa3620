package dev.fdfiber.inspect;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import dev.fdfiber.examples.Options;
import dev.fdfiber.examples.Worker;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.Keys;

/** The page in Chromium. One browser for all of these. */
@Tag("slow")
@FdTest(limitSeconds = 120)
class LivePageBrowserTest {
  /** Of text to its background, as WCAG 2.2 defines it. */
  private static final String CONTRAST =
      """
      (() => {
        const style = getComputedStyle(document.body);
        const [a, b] = [style.color, style.backgroundColor].map(color => {
          const [red, green, blue] = color.match(/[\\d.]+/g).map(n => n / 255)
              .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
          return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        });
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      })()
      """;

  private static Browser browser;
  private static List<ProcessHandle> before;

  private Scheduler scheduler;
  private Inspector inspector;
  private Thread driver;

  @BeforeAll
  static void startBrowser() {
    before = ProcessHandle.current().descendants().toList();
    browser = new Browser();
  }

  @AfterAll
  static void endBrowser() {
    List<ProcessHandle> all =
        ProcessHandle.current().descendants().filter(p -> !before.contains(p)).toList();
    if (browser != null) {
      browser.close();
      all.forEach(process -> process.onExit().join());
    }
  }

  @BeforeEach
  void serve() throws Exception {
    scheduler = Scheduler.builder().name("shown").build();
    inspector = Inspector.serve(scheduler, 0);
    scheduler.spawn("idle", () -> Scheduler.pause(1000));
    driver = Thread.ofPlatform().daemon().start(scheduler::run);
    browser.screen(1280, 800, false);
  }

  @AfterEach
  void end() throws Exception {
    List<String> complaints = browser.complaints();
    browser.open("about:blank");
    inspector.close();
    scheduler.close();
    driver.join();
    assertThat(complaints).isEmpty();
  }

  private void open() {
    browser.open(inspector.url());
    browser.until("document.querySelector('#status').textContent === 'live'");
  }

  private static String row(String name) {
    return "[...document.querySelectorAll('#space .row:not([hidden])')]"
        + ".find(r => r.querySelector('.name').textContent === '"
        + name
        + "')";
  }

  private static final String NAMES =
      "[...document.querySelectorAll('#space .row:not([hidden])')]"
          + ".sort((a, b) => parseInt(a.style.top) - parseInt(b.style.top))"
          + ".map(r => r.querySelector('.name').textContent)";

  @Test
  void aParkedFiber_appearsWithItsDescriptor_showsItsStack_andGoesAway() {
    try (Fds.Pair pipe = Fds.pipe()) {
      open();
      scheduler.spawn("reader", () -> Scheduler.ioWait(pipe.a(), READ, -1));
      browser.until(
          row("reader")
              + ".querySelector('.cell.wait').textContent.startsWith('fd "
              + pipe.a()
              + " READ pipe:[')");
      browser.run(row("reader") + ".click()");
      browser.until(
          "document.querySelector('#stack').textContent.includes('dev.fdfiber.Scheduler.ioWait')");
      assertThat(browser.eval("document.querySelector('#facts').textContent").toString())
          .contains("Its other end" + "fd " + pipe.b());
      Fds.write(pipe.b(), "x");
      browser.until("!" + row("reader"));
      browser.until("document.querySelector('#facts').textContent === 'Statehas ended'");
    }
  }

  @Test
  void filterSortAndStates_chooseWhatIsShown_byKeyboardToo() {
    for (String name : List.of("bravo", "alpha", "charlie")) {
      scheduler.spawn(name, () -> Scheduler.pause(1000));
    }
    open();
    browser.until("rows.size === 4");
    assertThat(browser.eval(NAMES)).isEqualTo(List.of("idle", "bravo", "alpha", "charlie"));
    browser.click("#head .name button");
    assertThat(browser.eval(NAMES)).isEqualTo(List.of("alpha", "bravo", "charlie", "idle"));
    browser.click("#head .name button");
    assertThat(browser.eval(NAMES)).isEqualTo(List.of("idle", "charlie", "bravo", "alpha"));
    assertThat(browser.eval("document.querySelector('#head .name').getAttribute('aria-sort')"))
        .isEqualTo("descending");

    browser.press("/");
    browser.press("RAV");
    assertThat(browser.eval(NAMES)).isEqualTo(List.of("bravo"));
    browser.press(Keys.ENTER);
    browser.press(Keys.ENTER);
    browser.until("document.querySelector('#d-name').textContent === 'bravo'");
    browser.until("document.querySelector('#stack').textContent.includes('Scheduler.pause')");
    browser.press(Keys.ESCAPE);
    browser.until("document.querySelector('#detail').hidden");

    browser.run("document.querySelector('#filter').value = ''");
    browser.click(".chip.PAUSED");
    browser.until("view.length === 0 && !document.querySelector('#none').hidden");
    browser.click(".chip.PAUSED");
    browser.until("view.length === 4");
  }

  @Test
  void restartOfTheServer_isSurvived() throws Exception {
    open();
    int port = inspector.port();
    inspector.close();
    browser.until("document.querySelector('#status').className === 'lost'");
    scheduler.spawn("came meanwhile", () -> Scheduler.pause(1000));
    inspector = Inspector.serve(scheduler, port);
    browser.until("document.querySelector('#status').textContent === 'live'");
    browser.until(row("came meanwhile"));
  }

  @Test
  void namesOfFibers_areText() {
    String hostile = "<img src=x onerror=alert(1)>";
    scheduler.spawn(hostile, () -> Scheduler.pause(1000));
    open();
    browser.until(row(hostile));
    browser.run(row(hostile) + ".click()");
    browser.until("document.querySelector('#d-name').textContent === '" + hostile + "'");
    assertThat(browser.eval("document.querySelectorAll('img').length")).isEqualTo(0L);
  }

  @Test
  void tenThousandFibers_areShownByTheFew() {
    for (int i = 0; i < 10_000; i++) {
      scheduler.spawn("p" + i, () -> Scheduler.pause(1000));
    }
    open();
    browser.until("rows.size === 10001");
    assertThat((Long) browser.eval("document.querySelectorAll('#space .row').length"))
        .isLessThan(100);
    browser.run("document.querySelector('#scroll').focus()");
    browser.press(Keys.END);
    browser.until(row("p9999"));
    browser.run("document.querySelector('#filter').value = 'p4711'");
    browser.run("document.querySelector('#filter').dispatchEvent(new Event('input'))");
    browser.until("view.length === 1 && " + row("p4711"));
  }

  @Test
  void aHeldDriver_isSaidToBe() throws Exception {
    open();
    long[] until = {System.nanoTime() + 60_000_000_000L};
    scheduler.spawn(
        "hog",
        () -> {
          while (System.nanoTime() - until[0] < 0 && !Thread.currentThread().isInterrupted()) {
            Thread.onSpinWait();
          }
        });
    browser.until(
        "document.querySelector('#alarm').textContent"
            + ".startsWith('Fiber hog holds the driver of scheduler shown for ')");
    scheduler.fibers().stream()
        .filter(f -> f.name().equals("hog"))
        .forEach(f -> f.thread().orElseThrow().interrupt());
    browser.until("document.querySelector('#alarm').hidden");
  }

  @Test
  void phoneAndDark_fitAndAreReadable() {
    try (Fds.Pair pipe = Fds.pipe()) {
      String longName = "a fiber with a name that is longer than any phone is wide, by far";
      scheduler.spawn(longName, () -> Scheduler.ioWait(pipe.a(), READ, -1));
      for (boolean dark : new boolean[] {false, true}) {
        browser.screen(390, 844, dark);
        open();
        browser.until(row(longName));
        assertThat(browser.eval("document.documentElement.scrollWidth")).isEqualTo(390L);
        assertThat((Double) browser.eval(CONTRAST)).isGreaterThan(7);
        browser.run(row(longName) + ".click()");
        browser.until("document.querySelector('#detail').getBoundingClientRect().width === 390");
        browser.click("#close");
        browser.until("document.querySelector('#detail').hidden");
      }
      Fds.write(pipe.b(), "x");
      browser.until("!" + row(longName));
    }
  }

  @Test
  void worker_servesItAtFibers() throws Exception {
    try (Worker worker = Worker.open(Options.defaults().onPort(0))) {
      worker.start();
      int client = Sock.connect("127.0.0.1", worker.port());
      browser.open("http://127.0.0.1:" + worker.port() + "/fibers");
      String parked =
          "[...rows.values()].filter(r => r.name.startsWith('worker-1 fd ') && r.wait.includes(':"
              + Sock.localPort(client)
              + " ESTABLISHED')).length";
      browser.until(parked + " === 1");
      Sock.close(client);
      browser.until(parked + " === 0");
      browser.open("about:blank");
    }
  }
}
