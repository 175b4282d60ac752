package dev.nibble.quant;

import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import tools.jackson.databind.node.ObjectNode;

/** The tensors and the part of config.json in which a checkpoint stores weights of one format. */
public interface CheckpointLayout {

  /**
   * The tensors of a weight, by its size alone.
   *
   * @param weight for example {@code model.layers.0.self_attn.q_proj.weight}
   * @param shape [O, I]
   * @param before what the weight's dtype was
   * @return empty when the size of a tensor depends on the weight's values
   */
  Optional<List<TensorInfo>> tensors(String weight, Shape shape, DType before);

  /**
   * The same tensors with their values.
   *
   * @param matrix of this format, on the host; the tensors may be views of its own
   */
  SequencedMap<String, Tensor> tensors(String weight, FrozenMatrix matrix, DType before);

  /**
   * The {@code quantization_config} of config.json.
   *
   * @param compute what readers shall compute in: F32, BF16 or F16
   * @param skipped modules inside the blocks that are stored as they were
   */
  ObjectNode config(DType compute, List<String> skipped);

  /** What that config tells of the format, for example {@code NF4 with double quantisation}. */
  String summary();
}
