package dev.fdfiber.bench;

/** How long to measure. */
enum Pace {
  /** For figures to keep. */
  FULL(5, 800, 800),

  /** For figures while developing, in a minute or two. */
  QUICK(1, 500, 400),

  /** To see that everything runs; the figures mean nothing. */
  SMOKE(1, 50, 50);

  final int rounds;
  final int warmUpMillis;
  final int measureMillis;

  Pace(int rounds, int warmUpMillis, int measureMillis) {
    this.rounds = rounds;
    this.warmUpMillis = warmUpMillis;
    this.measureMillis = measureMillis;
  }
}
