package dev.fdfiber.examples.http;

import java.nio.file.Path;
import java.util.Locale;

/** What a file is, by the end of its name. */
final class MediaTypes {
  private MediaTypes() {}

  static String of(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    int dot = name.lastIndexOf('.');
    return switch (dot < 0 ? "" : name.substring(dot + 1)) {
      case "html", "htm" -> "text/html; charset=utf-8";
      case "txt", "log" -> "text/plain; charset=utf-8";
      case "md" -> "text/markdown; charset=utf-8";
      case "css" -> "text/css; charset=utf-8";
      case "js", "mjs" -> "text/javascript; charset=utf-8";
      case "json", "map" -> "application/json";
      case "xml" -> "application/xml";
      case "svg" -> "image/svg+xml";
      case "png" -> "image/png";
      case "jpg", "jpeg" -> "image/jpeg";
      case "gif" -> "image/gif";
      case "webp" -> "image/webp";
      case "ico" -> "image/vnd.microsoft.icon";
      case "woff2" -> "font/woff2";
      case "wasm" -> "application/wasm";
      case "pdf" -> "application/pdf";
      case "mp4" -> "video/mp4";
      case "gz" -> "application/gzip";
      case "zip" -> "application/zip";
      default -> "application/octet-stream";
    };
  }
}
