package dev.fdfiber.inspect;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URL;
import java.util.concurrent.CompletableFuture;
import org.openqa.selenium.remote.http.Contents;
import org.openqa.selenium.remote.http.HttpClient;
import org.openqa.selenium.remote.http.HttpRequest;
import org.openqa.selenium.remote.http.HttpResponse;
import org.openqa.selenium.remote.http.WebSocket;

/**
 * Selenium's commands, each on a connection of its own that ends with it, so that the descriptors
 * of a test that uses a browser can be counted: others keep connections for later, and open more.
 */
final class OneCallClient implements HttpClient {
  private static final int LIMIT_MILLIS = 100_000;

  private final URL driver;

  /** For commands to a driver that listens there. */
  OneCallClient(URL driver) {
    this.driver = driver;
  }

  @Override
  public HttpResponse execute(HttpRequest request) {
    try {
      URI uri = URI.create(driver + request.getUri());
      HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
      connection.setReadTimeout(LIMIT_MILLIS);
      connection.setRequestMethod(request.getMethod().name());
      request.forEachHeader(connection::setRequestProperty);
      connection.setRequestProperty("Connection", "close");
      byte[] body = Contents.bytes(request.getContent());
      if (body.length > 0) {
        connection.setDoOutput(true);
        try (OutputStream out = connection.getOutputStream()) {
          out.write(body);
        }
      }
      return response(connection);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static HttpResponse response(HttpURLConnection connection) throws IOException {
    HttpResponse response = new HttpResponse();
    response.setStatus(connection.getResponseCode());
    response.setHeader("Content-Type", connection.getContentType());
    boolean failed = response.getStatus() >= 400;
    try (InputStream in = failed ? connection.getErrorStream() : connection.getInputStream()) {
      response.setContent(Contents.bytes(in.readAllBytes()));
    }
    return response;
  }

  @Override
  public WebSocket openSocket(HttpRequest request, WebSocket.Listener listener) {
    throw new UnsupportedOperationException();
  }

  @Override
  public <T> CompletableFuture<java.net.http.HttpResponse<T>> sendAsyncNative(
      java.net.http.HttpRequest request, java.net.http.HttpResponse.BodyHandler<T> handler) {
    throw new UnsupportedOperationException();
  }

  @Override
  public <T> java.net.http.HttpResponse<T> sendNative(
      java.net.http.HttpRequest request, java.net.http.HttpResponse.BodyHandler<T> handler) {
    throw new UnsupportedOperationException();
  }
}
