package dev.nibble.quant.bnb;

import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.quant.CheckpointReader;
import dev.nibble.quant.ConfigSection;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import java.util.Optional;
import java.util.stream.Stream;

/** A reader of checkpoints that transformers and bitsandbytes saved in 4 bits. */
public final class FourBitReader implements CheckpointReader {

  @Override
  public String reads() {
    return "\"bitsandbytes\" in 4 bits";
  }

  @Override
  public Optional<StoredWeights> find(StoredTensors checkpoint) {
    return FourBitCheckpoint.of(checkpoint);
  }

  /**
   * {@inheritDoc}
   *
   * <p>How bytes were typed ({@code bnb_4bit_quant_storage}) and what was skipped can be seen in
   * the tensors.
   */
  @Override
  public Optional<String> summary(ConfigSection c) {
    boolean four = c.flag("load_in_4bit", false);
    boolean eight = c.flag("load_in_8bit", false);
    // Old files have no method and are bitsandbytes'.
    String method = c.text("quant_method", four || eight ? "bitsandbytes" : "");
    if (!method.equals("bitsandbytes")) {
      return Optional.empty();
    }
    if (eight || !four) {
      throw c.wrong(
          eight ? "load_in_8bit" : "load_in_4bit",
          "bitsandbytes in 4 bits (\"load_in_4bit\": true), and models that are not quantised");
    }
    String written = c.text("bnb_4bit_quant_type", "fp4");
    QuantType type =
        Stream.of(QuantType.values())
            .filter(t -> t.name().equalsIgnoreCase(written))
            .findFirst()
            .orElseThrow(() -> c.wrong("bnb_4bit_quant_type", "\"nf4\" and \"fp4\""));
    return Optional.of(summary(type, c.flag("bnb_4bit_use_double_quant", false)));
  }

  static String summary(QuantType type, boolean doubleQuant) {
    return type + (doubleQuant ? " with" : " without") + " double quantisation";
  }
}
