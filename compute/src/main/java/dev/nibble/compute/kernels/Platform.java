package dev.nibble.compute.kernels;

import java.util.Locale;

/**
 * An operating system on a processor architecture: what native libraries are built for.
 *
 * @param os the operating system
 * @param architecture the processor's
 */
public record Platform(Os os, Architecture architecture) {

  /** Operating systems that Nibble knows. */
  public enum Os {
    LINUX("linux"),
    MAC("macosx"),
    WINDOWS("windows"),
    OTHER("other");

    private final String word;

    Os(String word) {
      this.word = word;
    }
  }

  /** Processor architectures that Nibble knows. */
  public enum Architecture {
    X86_64("x86_64"),
    ARM64("arm64"),
    OTHER("other");

    private final String word;

    Architecture(String word) {
      this.word = word;
    }
  }

  /** The one that this JVM runs on. */
  public static Platform here() {
    return of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
  }

  /** The platform that Java's system properties {@code os.name} and {@code os.arch} mean. */
  public static Platform of(String osName, String osArch) {
    String name = osName.toLowerCase(Locale.ROOT);
    Os os =
        name.startsWith("linux")
            ? Os.LINUX
            : name.startsWith("mac") ? Os.MAC : name.startsWith("windows") ? Os.WINDOWS : Os.OTHER;
    Architecture architecture =
        switch (osArch.toLowerCase(Locale.ROOT)) {
          case "amd64", "x86_64" -> Architecture.X86_64;
          case "aarch64", "arm64" -> Architecture.ARM64;
          default -> Architecture.OTHER;
        };
    return new Platform(os, architecture);
  }

  /** Its name in the classifiers of Maven artifacts with native libraries: {@code linux-arm64}. */
  public String classifier() {
    return os.word + "-" + architecture.word;
  }
}
