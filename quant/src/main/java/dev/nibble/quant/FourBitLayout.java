package dev.nibble.quant;

import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.kernels.Quantized.Scales;
import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * How a checkpoint holds a 4-bit weight (bitsandbytes and transformers): the codes under the
 * weight's own name, and beside them
 *
 * <ul>
 *   <li>{@code .absmax}, F32 or, when scales are quantised too, U8 [blocks]
 *   <li>{@code .quant_map}, F32 [16], the value of each code
 *   <li>{@code .nested_absmax} F32 [ceil(blocks/256)] and {@code .nested_quant_map} F32 [256], when
 *       scales are quantised too
 *   <li>{@code .quant_state.bitsandbytes__nf4} (or {@code __fp4}), U8, a {@link QuantState} in JSON
 * </ul>
 */
public final class FourBitLayout {
  static final String ABSMAX = ".absmax";
  static final String MAP = ".quant_map";
  static final String NESTED_ABSMAX = ".nested_absmax";
  static final String NESTED_MAP = ".nested_quant_map";

  /** Everything but the quant state. */
  static final List<String> STATISTICS = List.of(ABSMAX, MAP, NESTED_ABSMAX, NESTED_MAP);

  private FourBitLayout() {}

  /**
   * The tensors of a weight, in the order in which bitsandbytes has them.
   *
   * @param weight for example {@code model.layers.0.self_attn.q_proj.weight}
   */
  public static List<TensorInfo> tensors(String weight, QuantState state) {
    boolean nested = state.format().doubleQuant();
    long blocks = state.blocks();
    List<TensorInfo> all = new ArrayList<>();
    all.add(new TensorInfo(weight, DType.U8, Shape.of(Math.ceilDiv(state.weights(), 2L), 1)));
    all.add(new TensorInfo(weight + ABSMAX, nested ? DType.U8 : DType.F32, Shape.of(blocks)));
    all.add(new TensorInfo(weight + MAP, DType.F32, Shape.of(16)));
    if (nested) {
      long second = Math.ceilDiv(blocks, FourBitFormat.NESTED_BLOCK_SIZE);
      all.add(new TensorInfo(weight + NESTED_ABSMAX, DType.F32, Shape.of(second)));
      all.add(new TensorInfo(weight + NESTED_MAP, DType.F32, Shape.of(256)));
    }
    all.add(
        new TensorInfo(
            QuantState.tensor(weight, state.format().type()),
            DType.U8,
            Shape.of(json(state).length)));
    return all;
  }

  /**
   * The same tensors with their values, views of a weight on the host.
   *
   * @param quantized in the format of {@code state}
   */
  public static SequencedMap<String, Tensor> tensors(
      String weight, Quantized quantized, QuantState state) {
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    all.put(weight, quantized.codes().reshape(quantized.codes().elements(), 1));
    switch (quantized.scales()) {
      case Scales.Plain plain -> all.put(weight + ABSMAX, plain.absmax());
      case Scales.Nested nested -> {
        all.put(weight + ABSMAX, nested.codes());
        all.put(weight + NESTED_ABSMAX, nested.absmax());
        all.put(weight + NESTED_MAP, nested.codebook());
      }
    }
    all.put(weight + MAP, quantized.codebook());
    byte[] json = json(state);
    String name = QuantState.tensor(weight, state.format().type());
    all.put(
        name, Tensor.onHost(name, DType.U8, Shape.of(json.length), MemorySegment.ofArray(json)));
    return all;
  }

  /** The state of a weight on the host that was {@code dtype} before. */
  public static QuantState state(Quantized quantized, FourBitFormat format, DType dtype) {
    return new QuantState(
        format,
        dtype,
        quantized.rows(),
        quantized.cols(),
        Optional.of(quantized.scales())
            .filter(Scales.Nested.class::isInstance)
            .map(s -> ((Scales.Nested) s).offset().getFloat(0)));
  }

  private static byte[] json(QuantState state) {
    return state.json().getBytes(StandardCharsets.UTF_8);
  }

  /** The weight that a statistic's name belongs to. */
  static Optional<String> weightOf(String tensor) {
    return STATISTICS.stream()
        .filter(tensor::endsWith)
        .map(suffix -> tensor.substring(0, tensor.length() - suffix.length()))
        .filter(weight -> weight.endsWith(".weight"))
        .findFirst();
  }
}
