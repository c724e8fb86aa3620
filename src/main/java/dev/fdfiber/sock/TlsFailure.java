package dev.fdfiber.sock;

import java.nio.charset.StandardCharsets;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;

/** Why a handshake failed or a record could not be read, in words for who has to mend it. */
final class TlsFailure {
  static final String GONE = "the other side closed the connection before the handshake was done";

  /** The alert that goes to the other side, which newer JDKs say first. */
  private static final Pattern ALERT = Pattern.compile("^\\([a-z_]+\\) ");

  private TlsFailure() {}

  /** The reason, from what the JDK threw and the beginning of what it could not read. */
  static String reason(SSLException e, byte[] beginning) {
    Throwable root = e;
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (t instanceof CertificateExpiredException) {
        return "the other side's certificate has expired: " + t.getMessage();
      }
      if (t instanceof CertificateNotYetValidException) {
        return "the other side's certificate is not valid yet: " + t.getMessage();
      }
      if (t instanceof CertPathBuilderException) {
        return "nobody who is trusted here has signed the other side's certificate; "
            + "Sock.tlsTrust adds who is";
      }
      root = t;
    }
    String message = root.getMessage() == null ? root.toString() : root.getMessage();
    message = ALERT.matcher(message).replaceFirst("");
    if (message.contains("unrecognized SSL message") || message.contains("plaintext connection")) {
      return "the other side does not speak TLS; it sent " + quoted(beginning);
    }
    if (message.startsWith("No subject alternative") || message.startsWith("No name matching")) {
      return "the other side's certificate is not for the host that was asked for: " + message;
    }
    if (message.startsWith("Received fatal alert: ")) {
      return "the other side refuses, with the alert "
          + message.substring("Received fatal alert: ".length());
    }
    return message;
  }

  /** Printable bytes as they are. */
  private static String quoted(byte[] bytes) {
    StringBuilder text = new StringBuilder("\"");
    for (char c : new String(bytes, StandardCharsets.ISO_8859_1).toCharArray()) {
      boolean isPrintable = c >= ' ' && c < 0x7f;
      text.append(isPrintable ? String.valueOf(c) : String.format("\\x%02x", (int) c));
    }
    return text.append('"').toString();
  }
}
