package dev.nibble.quant.spqr;

import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.quant.CheckpointReader;
import dev.nibble.quant.ConfigSection;
import dev.nibble.quant.StoredWeights;
import java.util.Optional;

/** A reader of checkpoints in {@link SpqrLayout}. */
public final class SpqrReader implements CheckpointReader {
  @Override
  public String reads() {
    return "\"" + SpqrLayout.METHOD + "\"";
  }

  @Override
  public Optional<StoredWeights> find(StoredTensors checkpoint) {
    return SpqrCheckpoint.of(checkpoint);
  }

  @Override
  public Optional<String> summary(ConfigSection config) {
    if (!config.text("quant_method", "").equals(SpqrLayout.METHOD)) {
      return Optional.empty();
    }
    int bits = config.positive(SpqrLayout.BITS);
    if (!SpqrFormat.BITS.contains(bits)) {
      throw config.wrong(SpqrLayout.BITS, "8, 4, 3 or 2");
    }
    return Optional.of(SpqrLayout.summary(bits, config.positive(SpqrLayout.GROUP_SIZE)));
  }
}
