package dev.fdfiber.examples;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;

/** Large files for tests, and what they hash to. */
final class Checksums {
  private Checksums() {}

  /** Writes a file of that many random bytes; returns its SHA-256. */
  static String write(Path file, int megabytes) throws IOException {
    Random random = new Random(megabytes);
    MessageDigest digest = sha256();
    byte[] megabyte = new byte[1_000_000];
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
      for (int i = 0; i < megabytes; i++) {
        random.nextBytes(megabyte);
        digest.update(megabyte);
        out.write(megabyte);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** The SHA-256 of bytes. */
  static String of(byte[] data) {
    return HexFormat.of().formatHex(sha256().digest(data));
  }

  /** The SHA-256 of a file. */
  static String of(Path file) throws IOException {
    return of(Files.readAllBytes(file));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
