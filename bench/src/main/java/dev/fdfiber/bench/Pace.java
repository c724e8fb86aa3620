package dev.fdfiber.bench;

/** How long to measure. */
enum Pace {
  /** For figures to keep. */
  FULL(5, 2_000, 500, 2_500, 1_000, 10),

  /** For figures while developing, in a minute or two. */
  QUICK(1, 400, 300, 800, 400, 2),

  /** To see that everything runs; the figures mean nothing. */
  SMOKE(1, 50, 50, 50, 50, 1);

  /** How many times each peer gets its turn. */
  final int rounds;

  /** In one process. */
  final int warmUpMillis;

  final int measureMillis;

  /** Servers, of which each has its own compiler to wait for. */
  final int serverWarmUpMillis;

  final int serverMeasureMillis;

  /** Of what is long by itself: as often to warm up, and as often to measure. */
  final int repetitions;

  Pace(
      int rounds,
      int warmUpMillis,
      int measureMillis,
      int serverWarmUpMillis,
      int serverMeasureMillis,
      int repetitions) {
    this.rounds = rounds;
    this.warmUpMillis = warmUpMillis;
    this.measureMillis = measureMillis;
    this.serverWarmUpMillis = serverWarmUpMillis;
    this.serverMeasureMillis = serverMeasureMillis;
    this.repetitions = repetitions;
  }
}
