package dev.fdfiber.testing;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** Collects what the library logs from its making until its close, and keeps it off the console. */
public final class Logged implements AutoCloseable {
  private final Logger logger = Logger.getLogger("dev.fdfiber");
  private final List<LogRecord> records = new CopyOnWriteArrayList<>();
  private final Handler handler = new Collector();

  public Logged() {
    logger.addHandler(handler);
    logger.setUseParentHandlers(false);
  }

  /** What was logged at a level, as text. */
  public List<String> at(Level level) {
    SimpleFormatter formatter = new SimpleFormatter();
    return records.stream()
        .filter(r -> r.getLevel().equals(level))
        .map(formatter::formatMessage)
        .toList();
  }

  /** The exceptions that came with what was logged. */
  public List<Throwable> thrown() {
    return records.stream().map(LogRecord::getThrown).toList();
  }

  public boolean isEmpty() {
    return records.isEmpty();
  }

  @Override
  public void close() {
    logger.removeHandler(handler);
    logger.setUseParentHandlers(true);
  }

  private final class Collector extends Handler {
    @Override
    public void publish(LogRecord logged) {
      records.add(logged);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
