package dev.nibble.trainer.run;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/**
 * Which Nibble this is.
 *
 * @param version of the release
 * @param commit it was built from; {@code unknown} when the build was not told
 */
public record Build(String version, String commit) {

  /** The running one. */
  public static Build current() {
    Properties p = new Properties();
    try (InputStream in = Build.class.getResourceAsStream("build.properties")) {
      if (in == null) {
        throw new IllegalStateException("build.properties is missing from Nibble's jar");
      }
      p.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String commit = p.getProperty("commit", "");
    return new Build(p.getProperty("version", "unknown"), commit.isEmpty() ? "unknown" : commit);
  }
}
