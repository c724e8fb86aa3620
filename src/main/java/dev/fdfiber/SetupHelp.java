package dev.fdfiber;

/** What to add, and where, when the JVM was started without what fibers need. */
final class SetupHelp {
  private SetupHelp() {}

  /** If {@code java.lang} is open to this library. */
  static boolean isOpen() {
    return Object.class.getModule().isOpen("java.lang", SetupHelp.class.getModule());
  }

  /** The flags for a command line. */
  static String flags() {
    Module module = SetupHelp.class.getModule();
    String target = module.isNamed() ? module.getName() : "ALL-UNNAMED";
    return "--add-opens java.base/java.lang=" + target + " --enable-native-access=" + target;
  }

  /** What to say when the package is not open. */
  static String missingFlag() {
    String flags = flags();
    return """
    fibers need the JDK's package java.lang opened to fdfiber. Add, whichever starts this program:

      command line:  java %s ...
      environment:   JDK_JAVA_OPTIONS="%s"
      Surefire:      <argLine>%s</argLine>
      Gradle:        jvmArgs(%s)
      manifest of the jar given to java -jar:
                     Add-Opens: java.base/java.lang
                     Enable-Native-Access: ALL-UNNAMED
    """
        .formatted(
            flags,
            equalSigned(flags),
            equalSigned(flags),
            "\"" + equalSigned(flags).replace(" ", "\", \"") + "\"");
  }

  /** JDK_JAVA_OPTIONS and argument lists take a flag and its value in one word. */
  private static String equalSigned(String flags) {
    return flags.replace("--add-opens ", "--add-opens=");
  }
}
