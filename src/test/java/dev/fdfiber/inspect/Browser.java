package dev.fdfiber.inspect;

import dev.fdfiber.Tools;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.openqa.selenium.By;
import org.openqa.selenium.chrome.AddHasCdp;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.chromium.ChromiumDriver;
import org.openqa.selenium.chromium.HasCdp;
import org.openqa.selenium.remote.HttpCommandExecutor;

/**
 * Debian's Chromium without a window, by Debian's driver. Selenium is told where both are, so that
 * its manager has nothing to look for or to download.
 */
final class Browser implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** It misses classes for DevTools of just this version, which nothing here uses. */
  private static final Logger LOG = Logger.getLogger("org.openqa.selenium");

  private final ChromeDriverService service;
  private final Driver driver;

  /** Chromium's, told what to do by calls that leave no connection. */
  private static final class Driver extends ChromiumDriver {
    private final HasCdp devTools;

    Driver(ChromeDriverService service, ChromeOptions options) {
      super(
          new HttpCommandExecutor(
              new AddHasCdp().getAdditionalCommands(),
              service.getUrl(),
              config -> new OneCallClient(config.baseUrl())),
          options,
          ChromeOptions.CAPABILITY);
      this.devTools = new AddHasCdp().getImplementation(getCapabilities(), getExecuteMethod());
    }

    @Override
    public Map<String, Object> executeCdpCommand(String command, Map<String, Object> parameters) {
      return devTools.executeCdpCommand(command, parameters);
    }
  }

  Browser() {
    LOG.setLevel(Level.SEVERE);
    service =
        new ChromeDriverService.Builder()
            .usingDriverExecutable(Tools.require("chromedriver").toFile())
            .usingAnyFreePort()
            .withSilent(true)
            .build();
    ChromeOptions options = new ChromeOptions();
    options.setBinary(Tools.require("chromium").toFile());
    options.addArguments(
        "--headless",
        "--no-sandbox", // which root has to do without
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,800");
    try {
      service.start();
      driver = new Driver(service, options);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    driver.manage().timeouts().scriptTimeout(LIMIT);
  }

  void open(String url) {
    driver.get(url);
  }

  /** What an expression of JavaScript is in the page. */
  Object eval(String expression) {
    return driver.executeScript("return " + expression.strip());
  }

  void run(String statements) {
    driver.executeScript(statements);
  }

  /** Waits, in the page, until an expression holds. */
  void until(String expression) {
    driver.executeAsyncScript(
        """
        const done = arguments[arguments.length - 1];
        (function look() {
          let holds = false;
          try { holds = %s; } catch (notYet) { }
          if (holds) done(); else setTimeout(look, 20);
        })();
        """
            .formatted(expression));
  }

  /** Presses keys where the focus is. */
  void press(CharSequence... keys) {
    driver.switchTo().activeElement().sendKeys(keys);
  }

  void click(String selector) {
    driver.findElement(By.cssSelector(selector)).click();
  }

  /** A screen of that size, light or dark. */
  void screen(int width, int height, boolean dark) {
    driver.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 700));
    Map<String, String> scheme =
        Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light");
    driver.executeCdpCommand("Emulation.setEmulatedMedia", Map.of("features", List.of(scheme)));
  }

  /** What the page complained of: scripts that failed, or that its policy kept from running. */
  List<String> complaints() {
    return driver.manage().logs().get("browser").getAll().stream()
        .map(Object::toString)
        .filter(entry -> !entry.contains("ERR_CONNECTION_REFUSED")) // while a server restarts
        .filter(entry -> !entry.contains("ERR_INCOMPLETE_CHUNKED_ENCODING"))
        .toList();
  }

  @Override
  public void close() {
    driver.quit();
    service.stop();
  }
}
