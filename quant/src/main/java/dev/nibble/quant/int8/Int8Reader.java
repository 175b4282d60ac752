package dev.nibble.quant.int8;

import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.quant.CheckpointReader;
import dev.nibble.quant.ConfigSection;
import dev.nibble.quant.StoredWeights;
import java.util.Optional;

/** A reader of checkpoints in {@link Int8Layout}. */
public final class Int8Reader implements CheckpointReader {

  @Override
  public String reads() {
    return "\"compressed-tensors\" in 8-bit integers with zero points, in groups";
  }

  @Override
  public Optional<StoredWeights> find(StoredTensors checkpoint) {
    return Int8Checkpoint.of(checkpoint);
  }

  @Override
  public Optional<String> summary(ConfigSection config) {
    if (!config.text("quant_method", "").equals(Int8Layout.METHOD)) {
      return Optional.empty();
    }
    require(config, "format", Int8Layout.FORMAT);
    ConfigSection group = config.section("config_groups").section("group_0");
    if (group.has("input_activations")) {
      throw group.wrong("input_activations", "null: weights alone are quantised");
    }
    ConfigSection weights = group.section("weights");
    if (weights.positive("num_bits") != Byte.SIZE) {
      throw weights.wrong("num_bits", "8");
    }
    require(weights, "type", "int");
    require(weights, "strategy", "group");
    if (weights.flag("symmetric", true)) {
      throw weights.wrong("symmetric", "false: with zero points");
    }
    return Optional.of(new Int8Format(weights.positive("group_size")).layout().summary());
  }

  private static void require(ConfigSection config, String key, String text) {
    if (!config.text(key, "").equals(text)) {
      throw config.wrong(key, "\"%s\"".formatted(text));
    }
  }
}
