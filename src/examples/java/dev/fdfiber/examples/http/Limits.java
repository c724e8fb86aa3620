package dev.fdfiber.examples.http;

import java.time.Duration;

/**
 * What a client may cost.
 *
 * @param headBytes how long the head of a request may be, its empty line included
 * @param targetBytes how long its first line may be
 * @param fields how many fields it may have, and its trailer too
 * @param bodyBytes how long a body may be
 * @param bodyRate how many bytes of a body have to come in each second, on average
 * @param idle how long a connection may stay silent between two requests
 * @param head how long a head may take, from its first byte to its last
 * @param body how long a body may take, beside what the rate gives it
 */
public record Limits(
    int headBytes,
    int targetBytes,
    int fields,
    long bodyBytes,
    int bodyRate,
    Duration idle,
    Duration head,
    Duration body) {

  /** 16 KiB heads in 10 s, 1 GiB bodies at 1 KiB/s or more, a minute of silence. */
  public static Limits defaults() {
    return new Limits(
        16 * 1024,
        8 * 1024,
        100,
        1L << 30,
        1024,
        Duration.ofSeconds(60),
        Duration.ofSeconds(10),
        Duration.ofSeconds(10));
  }

  /** The same with other times for silence, for a head and for a body. */
  public Limits within(Duration newIdle, Duration newHead, Duration newBody) {
    return new Limits(
        headBytes, targetBytes, fields, bodyBytes, bodyRate, newIdle, newHead, newBody);
  }

  /** The same with another length for bodies. */
  public Limits withBodyBytes(long most) {
    return new Limits(headBytes, targetBytes, fields, most, bodyRate, idle, head, body);
  }
}
