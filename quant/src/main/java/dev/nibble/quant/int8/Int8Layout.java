package dev.nibble.quant.int8;

import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.CheckpointLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The layout {@code int-quantized} of compressed-tensors: codes, I8 [O, I], under the weight's own
 * name, and beside them {@code weight_scale}, F32 [O, I / group], and {@code weight_zero_point}, I8
 * [O, I / group].
 */
record Int8Layout(int groupSize) implements CheckpointLayout {
  static final String METHOD = "compressed-tensors";
  static final String FORMAT = "int-quantized";
  static final String SCALE = "_scale";
  static final String ZERO_POINT = "_zero_point";

  @Override
  public Optional<List<TensorInfo>> tensors(String weight, Shape shape, DType before) {
    Shape groups = Shape.of(shape.dim(0), shape.dim(1) / groupSize);
    return Optional.of(
        List.of(
            new TensorInfo(weight, DType.I8, shape),
            new TensorInfo(weight + SCALE, DType.F32, groups),
            new TensorInfo(weight + ZERO_POINT, DType.I8, groups)));
  }

  @Override
  public SequencedMap<String, Tensor> tensors(String weight, FrozenMatrix matrix, DType before) {
    Affine affine = (Affine) matrix;
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    all.put(weight, affine.codes());
    all.put(weight + SCALE, affine.scales().plain());
    all.put(weight + ZERO_POINT, affine.zeros().plain());
    return all;
  }

  /** Readers compute in the model's own dtype: this config has no place for another. */
  @Override
  public ObjectNode config(DType compute, List<String> skipped) {
    ObjectNode q = JsonNodeFactory.instance.objectNode();
    q.put("quant_method", METHOD);
    q.put("format", FORMAT);
    q.put("quantization_status", "compressed");
    ObjectNode group = q.putObject("config_groups").putObject("group_0");
    group.putArray("targets").add("Linear");
    ObjectNode weights = group.putObject("weights");
    weights.put("num_bits", Byte.SIZE);
    weights.put("type", "int");
    weights.put("symmetric", false);
    weights.put("strategy", "group");
    weights.put("group_size", groupSize);
    group.putNull("input_activations");
    group.putNull("output_activations");
    ArrayNode ignore = q.putArray("ignore").add("lm_head");
    skipped.forEach(ignore::add);
    return q;
  }

  @Override
  public String summary() {
    return new Int8Format(groupSize).describe();
  }
}
