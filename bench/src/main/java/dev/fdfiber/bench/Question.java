package dev.fdfiber.bench;

import java.util.List;

/** One question that the benchmarks ask, and what they ask it of. */
interface Question {
  /** The word by which it is called on the command line. */
  String name();

  /** The question, for people. */
  String title();

  /** What its numbers count, such as "ns per round trip"; less is better. */
  String unit();

  /** What is measured, in the order of a round. */
  List<Entry> entries();

  /** What fdfiber should reach. */
  List<Goal> goals();
}
