package dev.fdfiber.bench;

/** One bar of a question's chart: who, in which setting, and how to measure it once. */
record Entry(String setting, String peer, Sampler sampler) {
  /** Measures once, in a process of its own. */
  @FunctionalInterface
  interface Sampler {
    double sample(Pace pace) throws Exception;
  }

  String key() {
    return key(setting, peer);
  }

  static String key(String setting, String peer) {
    return setting.isEmpty() ? peer : peer + ", " + setting;
  }
}
