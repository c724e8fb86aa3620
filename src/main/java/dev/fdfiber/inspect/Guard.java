package dev.fdfiber.inspect;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Who may see the page. On loopback every user of the machine may, but no page of another site that
 * a browser there has open: such a site can have its own name lead to 127.0.0.1, and then the
 * browser says that name in {@code Host}. Elsewhere it takes a token.
 */
record Guard(boolean local, String host, Optional<String> token) {
  private static final Set<String> LOCAL_NAMES = Set.of("localhost", "127.0.0.1", "[::1]");

  /**
   * Why a request is refused, or empty.
   *
   * @param hostHeader empty where there is none, which no browser leaves out
   * @param given the token of the request, or empty
   */
  Optional<String> refuses(Optional<String> hostHeader, String given) {
    if (local && hostHeader.isPresent() && !isOurs(hostHeader.get())) {
      return Optional.of("This page is for this machine only; ask for it as localhost.");
    }
    boolean known = token.isEmpty() || isEqual(token.get(), given);
    return known ? Optional.empty() : Optional.of("The token is missing, or another: ?token=...");
  }

  private boolean isOurs(String hostHeader) {
    String name = hostHeader.replaceFirst(":[0-9]*$", "").toLowerCase(Locale.ROOT);
    String own = host.contains(":") ? "[" + host + "]" : host;
    return LOCAL_NAMES.contains(name) || name.equals(own.toLowerCase(Locale.ROOT));
  }

  /** In the same time wherever they differ. */
  private static boolean isEqual(String a, String b) {
    return MessageDigest.isEqual(
        a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
  }
}
