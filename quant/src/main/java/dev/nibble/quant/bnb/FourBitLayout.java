package dev.nibble.quant.bnb;

import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Codebook.Scales;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.CheckpointLayout;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The layout of bitsandbytes and transformers, to the byte; see {@link QuantState}. */
record FourBitLayout(FourBitFormat format) implements CheckpointLayout {

  /**
   * With double quantisation the state holds the mean of the scales, a decimal number of as many
   * digits as it has.
   */
  @Override
  public Optional<List<TensorInfo>> tensors(String weight, Shape shape, DType before) {
    return format.doubleQuant()
        ? Optional.empty()
        : Optional.of(
            new QuantState(format, before, shape.dim(0), shape.dim(1), Optional.empty())
                .tensors(weight));
  }

  @Override
  public SequencedMap<String, Tensor> tensors(String weight, FrozenMatrix matrix, DType before) {
    Codebook codebook = (Codebook) matrix;
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    all.put(weight, codebook.codes().reshape(codebook.codes().elements(), 1));
    Optional<Float> offset =
        switch (codebook.scales()) {
          case Scales.Plain plain -> {
            all.put(weight + QuantState.ABSMAX, plain.absmax());
            yield Optional.empty();
          }
          case Scales.Nested nested -> {
            all.put(weight + QuantState.ABSMAX, nested.codes());
            all.put(weight + QuantState.NESTED_ABSMAX, nested.absmax());
            all.put(weight + QuantState.NESTED_MAP, nested.codebook());
            yield Optional.of(nested.offset().getFloat(0));
          }
        };
    all.put(weight + QuantState.MAP, codebook.codebook());
    byte[] state = new QuantState(format, before, codebook.rows(), codebook.cols(), offset).bytes();
    String name = QuantState.tensor(weight, format.type());
    all.put(
        name, Tensor.onHost(name, DType.U8, Shape.of(state.length), MemorySegment.ofArray(state)));
    return all;
  }

  /** As transformers writes it. */
  @Override
  public ObjectNode config(DType compute, List<String> skipped) {
    ObjectNode q = JsonNodeFactory.instance.objectNode();
    q.put("quant_method", "bitsandbytes");
    q.put("_load_in_8bit", false);
    q.put("_load_in_4bit", true);
    q.put("llm_int8_threshold", 6.0);
    // A list, once there is one, must name the head too; without a list it is left by itself.
    if (skipped.isEmpty()) {
      q.putNull("llm_int8_skip_modules");
    } else {
      ArrayNode list = q.putArray("llm_int8_skip_modules");
      skipped.forEach(list::add);
      list.add("lm_head");
    }
    q.put("llm_int8_enable_fp32_cpu_offload", false);
    q.put("llm_int8_has_fp16_weight", false);
    q.put("bnb_4bit_quant_type", format.type().written());
    q.put("bnb_4bit_use_double_quant", format.doubleQuant());
    q.put("bnb_4bit_compute_dtype", QuantState.pythonName(compute));
    q.put("bnb_4bit_quant_storage", "uint8");
    q.put("load_in_4bit", true);
    q.put("load_in_8bit", false);
    return q;
  }

  @Override
  public String summary() {
    return FourBitReader.summary(format.type(), format.doubleQuant());
  }
}
