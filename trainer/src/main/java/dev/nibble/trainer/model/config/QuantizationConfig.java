package dev.nibble.trainer.model.config;

import dev.nibble.quant.FourBitCheckpoint;
import dev.nibble.quant.FourBitFormat;
import dev.nibble.quant.FourBitFormat.QuantType;
import dev.nibble.trainer.model.ModelException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The {@code quantization_config} of a config.json, as far as it says what the tensors must be. How
 * bytes were typed ({@code bnb_4bit_quant_storage}) and what was skipped can be seen in the
 * tensors.
 *
 * @param type code table
 * @param doubleQuant whether scales are quantised too
 */
public record QuantizationConfig(QuantType type, boolean doubleQuant) {
  private static final String KEY = "quantization_config";

  /**
   * What a model's folder says; empty for a model that is not quantised.
   *
   * @throws ModelException when it was quantised by anything but bitsandbytes in 4 bits
   */
  public static Optional<QuantizationConfig> read(Path folder) {
    ConfigJson config = ConfigJson.read(folder.resolve("config.json"));
    return config.object(KEY).map(QuantizationConfig::read);
  }

  private static QuantizationConfig read(ConfigJson c) {
    boolean four = c.flag("load_in_4bit", false);
    boolean eight = c.flag("load_in_8bit", false);
    // Old files have no method and are bitsandbytes'.
    String method = c.text("quant_method", four || eight ? "bitsandbytes" : "");
    if (!method.equals("bitsandbytes")) {
      throw c.wrong(
          "quant_method", "\"bitsandbytes\" in 4 bits, and models that are not quantised");
    }
    if (eight || !four) {
      throw c.wrong(
          eight ? "load_in_8bit" : "load_in_4bit",
          "bitsandbytes in 4 bits (\"load_in_4bit\": true), and models that are not quantised");
    }
    String type = c.text("bnb_4bit_quant_type", "fp4");
    return new QuantizationConfig(
        Stream.of(QuantType.values())
            .filter(t -> t.name().equalsIgnoreCase(type))
            .findFirst()
            .orElseThrow(() -> c.wrong("bnb_4bit_quant_type", "\"nf4\" and \"fp4\"")),
        c.flag("bnb_4bit_use_double_quant", false));
  }

  /**
   * Compares what config.json says with what the tensors are.
   *
   * @throws ModelException when they contradict each other
   */
  public static void check(Path folder, FourBitCheckpoint tensors) {
    Optional<QuantizationConfig> said = read(folder);
    Optional<QuantizationConfig> found = tensors.format().map(QuantizationConfig::of);
    if (!said.equals(found)) {
      throw new ModelException(
          "%s: %s, but %s"
              .formatted(
                  folder.resolve("config.json"),
                  said.map(s -> "\"%s\" says %s".formatted(KEY, s))
                      .orElse("there is no \"%s\"".formatted(KEY)),
                  found
                      .map(f -> "the tensors are in 4 bits, %s".formatted(f))
                      .orElse("no tensor is in 4 bits")));
    }
  }

  private static QuantizationConfig of(FourBitFormat format) {
    return new QuantizationConfig(format.type(), format.doubleQuant());
  }

  @Override
  public String toString() {
    return type + (doubleQuant ? " with" : " without") + " double quantisation";
  }
}
