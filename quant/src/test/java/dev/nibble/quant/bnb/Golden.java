package dev.nibble.quant.bnb;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Objects;

/**
 * What bitsandbytes and the code of few-bit methods made; {@code -Dgolden.dir} names another folder
 * of the same layout.
 */
public final class Golden {
  private Golden() {}

  static Path bnb(String name) {
    return folder().resolve("bnb").resolve(name);
  }

  /** A file or folder of hqq's. */
  public static Path hqq(String name) {
    return fewBit("hqq", name);
  }

  /** A file of GPTQ's authors, of AutoGPTQ or of AutoAWQ. */
  public static Path gptq(String name) {
    return fewBit("gptq", name);
  }

  /** A file of SpQR's authors. */
  public static Path spqr(String name) {
    return fewBit("spqr", name);
  }

  /** A file of what LDLQ, Hadamard transforms, E8P and CALDERA give in float64. */
  public static Path ldlq(String name) {
    return fewBit("ldlq", name);
  }

  private static Path fewBit(String method, String name) {
    String given = System.getProperty("golden.dir", "");
    return given.isEmpty()
        ? resources().resolve(method).resolve(name)
        : Path.of(given).resolve("fewbit").resolve(method).resolve(name);
  }

  private static Path folder() {
    String given = System.getProperty("golden.dir", "");
    return given.isEmpty() ? resources() : Path.of(given);
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
