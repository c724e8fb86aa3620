package dev.fdfiber.examples.http;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** An answer: a status, fields, and what its body is. Does not change, so it may be kept. */
public final class Response {
  private static final String TEXT = "text/plain; charset=utf-8";

  /** What a body is. */
  sealed interface Content {}

  record None() implements Content {}

  /** No record: it would compare the array by identity. */
  static final class Bytes implements Content {
    final byte[] data;

    Bytes(byte[] data) {
      this.data = data;
    }
  }

  record File(Path path, long size) implements Content {}

  record Stream(Writer writer) implements Content {}

  /** Writes a body of a length that nobody knows before; may suspend. */
  @FunctionalInterface
  public interface Writer {
    /**
     * Writes it.
     *
     * @throws ClientGoneException as {@link Out} throws it, to be passed on
     * @throws Exception anything else breaks the body off, so that the client can tell
     */
    void write(Out out) throws Exception;
  }

  private final int status;
  private final String fields;
  private final Content content;
  private byte @Nullable [] head; // made when it is first needed, by whichever thread

  private Response(int status, String fields, Content content) {
    this.status = status;
    this.fields = fields;
    this.content = content;
  }

  private String length() {
    return switch (content) {
      case Bytes bytes -> "Content-Length: " + bytes.data.length + "\r\n";
      case File file -> "Content-Length: " + file.size + "\r\n";
      case None none -> "";
      case Stream stream -> "";
    };
  }

  /** An answer of a text, sent as UTF-8. */
  public static Response of(int status, String type, String text) {
    return of(status, type, text.getBytes(StandardCharsets.UTF_8));
  }

  /** An answer of bytes, which are not copied. */
  public static Response of(int status, String type, byte[] data) {
    return new Response(status, "", new Bytes(data)).with("Content-Type", type);
  }

  /** An answer of plain text. */
  public static Response text(int status, String text) {
    return of(status, TEXT, text);
  }

  /** An answer without a body, such as a 204 or a 304. */
  public static Response empty(int status) {
    boolean isFramed = status == 204 || status == 304;
    return new Response(status, "", isFramed ? new None() : new Bytes(new byte[0]));
  }

  /**
   * An answer that is written as it comes to be. It goes out in chunks, or to a client of HTTP/1.0
   * until the connection ends.
   */
  public static Response stream(String type, Writer writer) {
    return new Response(200, "", new Stream(writer)).with("Content-Type", type);
  }

  /** An answer of a file as it is on the disk. */
  static Response file(String type, Path path, long size) {
    return new Response(200, "", new File(path, size)).with("Content-Type", type);
  }

  /**
   * The same with one more field.
   *
   * @throws IllegalArgumentException if it would be more than one line of a head
   */
  public Response with(String name, String value) {
    Objects.requireNonNull(value);
    boolean isToken = !name.isEmpty() && name.chars().allMatch(c -> c < 128 && isToken(c));
    boolean isText = value.chars().allMatch(c -> c < 256 && Ascii.isText((byte) c));
    if (!isToken || !isText) {
      throw new IllegalArgumentException("not a field of a head: " + name + ": " + value);
    }
    return new Response(status, fields + name + ": " + value + "\r\n", content);
  }

  private static boolean isToken(int c) {
    return Ascii.isToken((byte) c);
  }

  public int status() {
    return status;
  }

  Content content() {
    return content;
  }

  /** All of the head but what depends on the request and the time. */
  byte[] head() {
    byte[] bytes = head;
    if (bytes == null) {
      String line = "HTTP/1.1 " + status + " " + Reasons.of(status) + "\r\n";
      bytes = (line + fields + length()).getBytes(StandardCharsets.ISO_8859_1);
      head = bytes;
    }
    return bytes;
  }
}
