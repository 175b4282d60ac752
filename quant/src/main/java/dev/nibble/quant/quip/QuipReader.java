package dev.nibble.quant.quip;

import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.quant.CheckpointReader;
import dev.nibble.quant.ConfigSection;
import dev.nibble.quant.StoredWeights;
import java.util.Optional;

/** A reader of checkpoints in {@link QuipLayout}. */
public final class QuipReader implements CheckpointReader {
  @Override
  public String reads() {
    return "\"" + QuipLayout.METHOD + "\"";
  }

  @Override
  public Optional<StoredWeights> find(StoredTensors checkpoint) {
    return QuipCheckpoint.of(checkpoint);
  }

  @Override
  public Optional<String> summary(ConfigSection config) {
    if (!config.text("quant_method", "").equals(QuipLayout.METHOD)) {
      return Optional.empty();
    }
    int bits = config.positive(QuipLayout.BITS);
    if (!QuipFormat.BITS.contains(bits)) {
      throw config.wrong(QuipLayout.BITS, "4, 3 or 2");
    }
    boolean fitting = config.flag(QuipLayout.FITTING, false);
    int rank = fitting ? QuipFormat.FITTING : config.notNegative(QuipLayout.RANK, 0);
    return Optional.of(new QuipFormat(bits, rank, 0, 1).describe());
  }
}
