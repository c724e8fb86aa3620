package dev.fdfiber.kernel;

/** Tells whether this operating system and processor are among those supported. */
public final class Platform {
  private static final String SUPPORTED = "Linux on x86-64 or aarch64";

  private Platform() {}

  /**
   * Returns if this machine is supported.
   *
   * @throws UnsupportedOperationException with what was found and what is supported, otherwise
   */
  public static void check() {
    check(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
  }

  static void check(String os, String arch) {
    boolean processor = arch.equals("amd64") || arch.equals("x86_64") || arch.equals("aarch64");
    if (!os.equals("Linux") || !processor) {
      throw new UnsupportedOperationException(
          "fdfiber runs on " + SUPPORTED + "; this is " + os + " on " + arch);
    }
  }
}
