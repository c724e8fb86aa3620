package dev.fdfiber.testing;

import java.lang.reflect.Method;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs a test as JUnit does, for tests that are to fail: how it ended, and what it reported. */
public final class Launched {
  private final Map<String, Throwable> thrown = new LinkedHashMap<>();
  private final Map<String, String> reported = new LinkedHashMap<>();
  private int tests;

  private Launched() {}

  /** Runs one test method of a class, or with no name all of them. */
  public static Launched run(Class<?> type, String... methods) {
    LauncherDiscoveryRequestBuilder request = LauncherDiscoveryRequestBuilder.request();
    for (String name : methods) {
      for (Method method : type.getDeclaredMethods()) {
        if (method.getName().equals(name)) {
          request.selectors(DiscoverySelectors.selectMethod(type, method));
        }
      }
    }
    if (methods.length == 0) {
      request.selectors(DiscoverySelectors.selectClass(type));
    }
    LauncherDiscoveryRequest all = request.build();
    Launched launched = new Launched();
    LauncherFactory.create().execute(all, launched.listener());
    return launched;
  }

  private TestExecutionListener listener() {
    return new TestExecutionListener() {
      @Override
      public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        tests += test.isTest() ? 1 : 0;
        result.getThrowable().ifPresent(t -> thrown.put(test.getDisplayName(), t));
      }

      @Override
      public void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
        reported.putAll(entry.getKeyValuePairs());
      }
    };
  }

  /** How many tests ran. */
  public int tests() {
    return tests;
  }

  /** What the one test that failed threw; null if none did. */
  public Throwable failure() {
    if (thrown.size() > 1) {
      throw new AssertionError("several tests failed: " + thrown);
    }
    return thrown.isEmpty() ? null : thrown.values().iterator().next();
  }

  /** What failed, and how. */
  public Map<String, Throwable> failures() {
    return thrown;
  }

  /** What was reported under a key, or null. */
  public String reported(String key) {
    return reported.get(key);
  }
}
