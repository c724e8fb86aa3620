package dev.fdfiber.sock;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A client that the library has no part in: a socket of the JDK's, lines of text. */
final class TextClient implements AutoCloseable {
  private final Socket socket;
  private final BufferedReader in;

  TextClient(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(60_000);
    in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
  }

  void send(String line) throws IOException {
    socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
  }

  /** The next line; null at the end. */
  String receive() throws IOException {
    return in.readLine();
  }

  String ask(String line) throws IOException {
    send(line);
    return receive();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
