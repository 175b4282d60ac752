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
    ConfigSection group = section(section(config, "config_groups"), "group_0");
    if (group.has("input_activations")) {
      throw group.wrong("input_activations", "null: weights alone are quantised");
    }
    ConfigSection weights = section(group, "weights");
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

  private static ConfigSection section(ConfigSection config, String key) {
    if (config.object(key).isEmpty()) {
      throw config.wrong(key, "an object");
    }
    return config.object(key).get();
  }

  private static void require(ConfigSection config, String key, String text) {
    if (!config.text(key, "").equals(text)) {
      throw config.wrong(key, "\"%s\"".formatted(text));
    }
  }
}
