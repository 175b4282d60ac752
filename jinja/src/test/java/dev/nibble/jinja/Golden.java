package dev.nibble.jinja;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Objects;

/** The golden files: those of {@code -Dgolden.dir}, or the copy in the test resources. */
final class Golden {
  private Golden() {}

  static Path path(String first, String... more) {
    return root().resolve(Path.of(first, more));
  }

  private static Path root() {
    String given = System.getProperty("golden.dir", "");
    if (!given.isEmpty()) {
      return Path.of(given);
    }
    URL copy = Objects.requireNonNull(Golden.class.getResource("/golden"), "no golden resources");
    try {
      return Path.of(copy.toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }
}
