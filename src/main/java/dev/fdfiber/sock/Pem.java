package dev.fdfiber.sock;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Certificates and keys in PEM files, RFC 7468. What is outside the blocks does not count. */
final class Pem {
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \\1-----", Pattern.DOTALL);

  private static final List<String> KEY_ALGORITHMS = List.of("RSA", "EC", "EdDSA", "RSASSA-PSS");

  // DER of AlgorithmIdentifier, without curve, and of the version that PKCS#8 and SEC1 begin with
  private static final byte[] RSA = HexFormat.of().parseHex("300d06092a864886f70d0101010500");
  private static final byte[] EC_OID = HexFormat.of().parseHex("06072a8648ce3d0201");
  private static final byte[] VERSION_0 = {2, 1, 0};
  private static final int SEQUENCE = 0x30;
  private static final int OCTETS = 0x04;
  private static final int OID = 0x06;
  private static final int PARAMETERS = 0xa0; // [0] of SEC1, RFC 5915

  private record Block(Path file, String label, String base64) {
    byte[] der() throws IOException {
      try {
        return Base64.getMimeDecoder().decode(base64);
      } catch (IllegalArgumentException e) {
        throw new IOException(file + " has a " + label + " that is no base64", e);
      }
    }
  }

  private Pem() {}

  /** All certificates of a file, in its order; at least one. */
  static List<X509Certificate> certificates(Path file) throws IOException {
    List<X509Certificate> certificates = new ArrayList<>();
    for (Block block : blocks(file)) {
      if (block.label.equals("CERTIFICATE") || block.label.equals("X509 CERTIFICATE")) {
        certificates.add(certificate(block));
      }
    }
    if (certificates.isEmpty()) {
      throw new IOException(file + " has no certificate in PEM, -----BEGIN CERTIFICATE-----");
    }
    return certificates;
  }

  private static X509Certificate certificate(Block block) throws IOException {
    try {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      ByteArrayInputStream der = new ByteArrayInputStream(block.der());
      return (X509Certificate) factory.generateCertificate(der);
    } catch (CertificateException e) {
      throw new IOException(block.file + " has a certificate that is none: " + e.getMessage(), e);
    }
  }

  /** The first private key of a file. */
  static PrivateKey privateKey(Path file) throws IOException {
    for (Block block : blocks(file)) {
      if (block.label.endsWith("PRIVATE KEY")) {
        return key(file, pkcs8(block));
      }
    }
    throw new IOException(file + " has no private key in PEM, -----BEGIN PRIVATE KEY-----");
  }

  private static byte[] pkcs8(Block block) throws IOException {
    if (block.base64.contains("Proc-Type: 4,ENCRYPTED")) {
      throw toConvert(block.file, "an encrypted private key");
    }
    byte[] der = block.der();
    return switch (block.label) {
      case "PRIVATE KEY" -> der;
      case "RSA PRIVATE KEY" -> der(SEQUENCE, VERSION_0, RSA, der(OCTETS, der));
      case "EC PRIVATE KEY" -> {
        byte[] algorithm = der(SEQUENCE, EC_OID, curve(block.file, der));
        yield der(SEQUENCE, VERSION_0, algorithm, der(OCTETS, der));
      }
      case "ENCRYPTED PRIVATE KEY" -> throw toConvert(block.file, "an encrypted private key");
      default -> throw toConvert(block.file, "a private key of another format, " + block.label);
    };
  }

  private static IOException toConvert(Path file, String what) {
    return new IOException(
        file + " has " + what + "; convert it: openssl pkey -in " + file + " -out KEY");
  }

  private static PrivateKey key(Path file, byte[] pkcs8) throws IOException {
    for (String algorithm : KEY_ALGORITHMS) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
      } catch (InvalidKeySpecException e) {
        // a key of another kind
      } catch (GeneralSecurityException e) {
        throw new IOException(e);
      }
    }
    throw new IOException(file + " has a private key that is not RSA, EC, Ed25519 or Ed448");
  }

  private static List<Block> blocks(Path file) throws IOException {
    String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    List<Block> blocks = new ArrayList<>();
    Matcher matcher = BLOCK.matcher(text);
    while (matcher.find()) {
      blocks.add(new Block(file, matcher.group(1), matcher.group(2)));
    }
    return blocks;
  }

  // ---- DER, X.690

  private static byte[] der(int tag, byte[]... parts) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      content.writeBytes(part);
    }
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.write(tag);
    int length = content.size();
    if (length < 0x80) {
      all.write(length);
    } else {
      all.write(0x82);
      all.write(length >> 8);
      all.write(length);
    }
    all.writeBytes(content.toByteArray());
    return all.toByteArray();
  }

  /** The object identifier of the curve in a SEC1 key: the one in [0], whose length is short. */
  private static byte[] curve(Path file, byte[] sec1) throws IOException {
    for (int i = 0; i + 4 < sec1.length; i++) {
      int inner = sec1[i + 3];
      boolean found =
          (sec1[i] & 0xff) == PARAMETERS
              && sec1[i + 1] == inner + 2
              && sec1[i + 2] == OID
              && i + 4 + inner <= sec1.length;
      if (found) {
        byte[] oid = new byte[inner + 2];
        System.arraycopy(sec1, i + 2, oid, 0, oid.length);
        return oid;
      }
    }
    throw new IOException(
        file
            + " has an EC key without its curve; convert it: openssl pkey -in "
            + file
            + " -out K");
  }
}
