package dev.nibble.quant.hqq;

import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.quant.CheckpointReader;
import dev.nibble.quant.ConfigSection;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.hqq.HqqFormat.Metadata;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A reader of checkpoints in {@link HqqLayout}. */
public final class HqqReader implements CheckpointReader {
  private static final String WEIGHT_PARAMS = "weight_quant_params";

  @Override
  public String reads() {
    return "\"hqq\"";
  }

  @Override
  public Optional<StoredWeights> find(StoredTensors checkpoint) {
    return HqqCheckpoint.of(checkpoint);
  }

  /** One set of parameters for all linear maps, or one for each kind of them. */
  @Override
  public Optional<String> summary(ConfigSection config) {
    if (!config.text("quant_method", "").equals(HqqLayout.METHOD)) {
      return Optional.empty();
    }
    ConfigSection quant = config.section("quant_config");
    List<HqqFormat> formats = new ArrayList<>();
    if (quant.has(WEIGHT_PARAMS)) {
      formats.add(format(quant));
    } else {
      for (String kind : quant.keys()) {
        formats.add(format(quant.section(kind)));
      }
    }
    return Optional.of(HqqLayout.summary(formats));
  }

  private static HqqFormat format(ConfigSection config) {
    for (String nested : List.of("scale_quant_params", "zero_quant_params")) {
      if (config.has(nested)) {
        throw config.wrong(nested, "null: scales and zero points in 16 or 32 bits");
      }
    }
    ConfigSection weights = config.section(WEIGHT_PARAMS);
    int bits = weights.positive("nbits");
    if (!HqqFormat.BITS.contains(bits)) {
      throw weights.wrong("nbits", "8, 4, 3, 2 or 1");
    }
    int group = weights.has("group_size") ? weights.positive("group_size") : 0;
    if (group % Byte.SIZE != 0 || group == 0) {
      throw weights.wrong("group_size", "a multiple of 8");
    }
    int axis = weights.notNegative("axis", 1);
    if (axis > 1) {
      throw weights.wrong("axis", "0 or 1");
    }
    return new HqqFormat(bits, group, axis == 1 ? Axis.INPUTS : Axis.OUTPUTS, true, Metadata.F16);
  }
}
