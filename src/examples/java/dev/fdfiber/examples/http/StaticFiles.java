package dev.fdfiber.examples.http;

import dev.fdfiber.sock.Sock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The files below a directory, by sendfile(2).
 *
 * <p>Nothing else is reached: a path is decoded once and taken apart first; a part that is empty or
 * begins with a dot, so {@code ..} too, or that has a slash or a NUL in it, leads nowhere. Symbolic
 * links below the directory lead nowhere either. (Whoever can write there can still put one in the
 * place of a file between the look and the opening.) A directory is its {@code index.html}.
 */
public final class StaticFiles implements Handler {
  private final String prefix;
  private final Path root;

  /**
   * Serves a directory.
   *
   * @param prefix what the paths begin with, up to and with a slash
   * @throws IOException if there is no such directory
   */
  public StaticFiles(String prefix, Path root) throws IOException {
    this.prefix = prefix;
    this.root = root.toRealPath();
    if (!Files.isDirectory(this.root)) {
      throw new IOException(root + " is not a directory");
    }
  }

  @Override
  public Response answer(Request request) throws Refused {
    String path = request.path();
    Path file = locate(path.substring(prefix.length())).orElseThrow(StaticFiles::nothing);
    BasicFileAttributes found = look(file);
    if (found.isDirectory()) {
      if (!path.endsWith("/")) {
        return Response.empty(301).with("Location", path + "/");
      }
      file = file.resolve("index.html");
      found = look(file);
    } else if (path.endsWith("/")) {
      throw nothing();
    }
    if (!found.isRegularFile() || !Files.isReadable(file)) {
      throw nothing();
    }
    long modified = found.lastModifiedTime().to(TimeUnit.SECONDS);
    return (isKnown(request, modified)
            ? Response.empty(304)
            : Response.file(MediaTypes.of(file), file, found.size()))
        .with("Last-Modified", Sock.httpDate(modified))
        .with("X-Content-Type-Options", "nosniff");
  }

  /** The file that a path below the prefix names, if it may name one. */
  private Optional<Path> locate(String path) throws Refused {
    Path file = root;
    String whole = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    if (whole.isEmpty()) {
      return path.isEmpty() ? Optional.of(root) : Optional.empty();
    }
    for (String part : whole.split("/", -1)) {
      String name = decoded(part);
      if (name.isEmpty() || name.startsWith(".") || name.indexOf('/') >= 0 || hasNul(name)) {
        return Optional.empty();
      }
      try {
        file = file.resolve(name);
      } catch (InvalidPathException e) { // no name in the locale of this process
        return Optional.empty();
      }
      if (Files.isSymbolicLink(file)) {
        return Optional.empty();
      }
    }
    return Optional.of(file);
  }

  private static boolean hasNul(String name) {
    return name.indexOf('\0') >= 0;
  }

  private static BasicFileAttributes look(Path file) throws Refused {
    try {
      return Files.readAttributes(
          file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS); // also an index.html
    } catch (IOException e) {
      throw nothing();
    }
  }

  /** If the client has it as it was then, RFC 9110 section 13.1.3. */
  private static boolean isKnown(Request request, long modified) {
    long known = request.fields().first("If-Modified-Since").map(Sock::parseHttpDate).orElse(-1L);
    return known >= 0 && modified <= known;
  }

  /** Undoes percent-encoding; what that gives is UTF-8. */
  private static String decoded(String part) throws Refused {
    byte[] from = part.getBytes(StandardCharsets.ISO_8859_1);
    ByteBuffer to = ByteBuffer.allocate(from.length);
    for (int i = 0; i < from.length; i++) {
      if (from[i] != '%') {
        to.put(from[i]);
        continue;
      }
      int high = i + 2 < from.length ? Ascii.hex(from[i + 1]) : -1;
      int low = i + 2 < from.length ? Ascii.hex(from[i + 2]) : -1;
      if (high < 0 || low < 0) {
        throw notEncoded();
      }
      to.put((byte) (16 * high + low));
      i += 2;
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(to.flip()).toString();
    } catch (CharacterCodingException e) {
      throw notEncoded();
    }
  }

  private static Refused notEncoded() {
    return new Refused(400, "the path is not percent-encoded UTF-8");
  }

  private static Refused nothing() {
    return new Refused(404, "there is no such file");
  }
}
