package dev.nibble.quant.gptq;

import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.quant.CheckpointReader;
import dev.nibble.quant.ConfigSection;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.gptq.GptqFormat.Version;
import java.util.Optional;

/** A reader of checkpoints in {@link GptqLayout}. */
public final class GptqReader implements CheckpointReader {
  private static final String BITS = "bits";

  @Override
  public String reads() {
    return "\"gptq\"";
  }

  @Override
  public Optional<StoredWeights> find(StoredTensors checkpoint) {
    return GptqCheckpoint.of(checkpoint);
  }

  @Override
  public Optional<String> summary(ConfigSection config) {
    if (!config.text("quant_method", "").equals(GptqLayout.METHOD)) {
      return Optional.empty();
    }
    if (version(config.text(GptqLayout.VERSION, Version.GPTQ.key())).isEmpty()) {
      throw config.wrong(GptqLayout.VERSION, "\"gptq\" or \"gptq_v2\"");
    }
    int bits = config.positive(BITS);
    if (!GptqFormat.BITS.contains(bits)) {
      throw config.wrong(BITS, "8, 4, 3 or 2");
    }
    return Optional.of(GptqLayout.summary(bits));
  }

  /** The version of a {@code checkpoint_format}; empty for one that is not read. */
  static Optional<Version> version(String key) {
    for (Version version : Version.values()) {
      if (version.key().equals(key)) {
        return Optional.of(version);
      }
    }
    return Optional.empty();
  }
}
