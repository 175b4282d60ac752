package dev.nibble.quant.awq;

import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.quant.CheckpointReader;
import dev.nibble.quant.ConfigSection;
import dev.nibble.quant.StoredWeights;
import java.util.Optional;

/** A reader of checkpoints in {@link AwqLayout}. */
public final class AwqReader implements CheckpointReader {
  /** The version of the layout. */
  static final String GEMM = "gemm";

  /** What both the tensors and a config.json tell. */
  static final String SUMMARY = "AWQ, 4 bits";

  @Override
  public String reads() {
    return "\"awq\" of version \"gemm\"";
  }

  @Override
  public Optional<StoredWeights> find(StoredTensors checkpoint) {
    return AwqCheckpoint.of(checkpoint);
  }

  @Override
  public Optional<String> summary(ConfigSection config) {
    if (!config.text("quant_method", "").equals(AwqLayout.METHOD)) {
      return Optional.empty();
    }
    if (config.positive("bits") != AwqFormat.BITS) {
      throw config.wrong("bits", "4");
    }
    if (!config.text("version", GEMM).equalsIgnoreCase(GEMM)) {
      throw config.wrong("version", "\"gemm\"");
    }
    if (!config.flag("zero_point", true)) {
      throw config.wrong("zero_point", "true");
    }
    return Optional.of(SUMMARY);
  }
}
