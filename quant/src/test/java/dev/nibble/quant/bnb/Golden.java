package dev.nibble.quant.bnb;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Objects;

/** What bitsandbytes made; {@code -Dgolden.dir} names another folder of the same layout. */
final class Golden {
  private Golden() {}

  static Path bnb(String name) {
    String given = System.getProperty("golden.dir", "");
    return (given.isEmpty() ? resources() : Path.of(given)).resolve("bnb").resolve(name);
  }

  private static Path resources() {
    URL url = Objects.requireNonNull(Golden.class.getResource("/golden"), "no golden resources");
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
