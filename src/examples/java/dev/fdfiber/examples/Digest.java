package dev.fdfiber.examples;

import dev.fdfiber.examples.http.Request;
import dev.fdfiber.examples.http.Response;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Locale;

/**
 * {@code POST /digest} and {@code PUT /digest}: the length and the SHA-256 of what was sent. It is
 * read as it comes, so an upload of any length takes the memory of one read.
 */
final class Digest {
  private Digest() {}

  static Response answer(Request request) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    long length = 0;
    for (byte[] some = request.body().next(); some.length > 0; some = request.body().next()) {
      digest.update(some);
      length += some.length;
    }
    String hash = HexFormat.of().formatHex(digest.digest());
    return Response.of(
        200,
        "application/json",
        String.format(Locale.ROOT, "{\"bytes\":%d,\"sha256\":\"%s\"}\n", length, hash));
  }
}
