package dev.nibble.quant.bnb;

import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import dev.nibble.quant.codebook.BlockScales;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What bitsandbytes notes beside the codes of a 4-bit weight, and which tensors belong to it:
 *
 * <ul>
 *   <li>the codes, U8, under the weight's own name
 *   <li>{@code .absmax}, F32 or, when scales are quantised too, U8 [blocks]
 *   <li>{@code .quant_map}, F32 [16], the value of each code
 *   <li>{@code .nested_absmax} F32 [ceil(blocks/256)] and {@code .nested_quant_map} F32 [256], when
 *       scales are quantised too
 *   <li>{@code .quant_state.bitsandbytes__nf4} (or {@code __fp4}), U8, this in JSON
 * </ul>
 *
 * @param format of codes and scales
 * @param dtype what the weight was before: F32, BF16 or F16
 * @param rows output features O
 * @param cols input features I
 * @param offset the mean of the scales, when they are quantised too
 */
record QuantState(FourBitFormat format, DType dtype, long rows, long cols, Optional<Float> offset) {
  static final String ABSMAX = ".absmax";
  static final String MAP = ".quant_map";
  static final String NESTED_ABSMAX = ".nested_absmax";
  static final String NESTED_MAP = ".nested_quant_map";

  /** Everything but the quant state. */
  private static final List<String> STATISTICS = List.of(ABSMAX, MAP, NESTED_ABSMAX, NESTED_MAP);

  /** What stands between a weight's name and the lower-case name of its type. */
  static final String PREFIX = ".quant_state.bitsandbytes__";

  /** Checks that the parts fit each other. */
  QuantState {
    if (offset.isPresent() != format.doubleQuant()) {
      throw new IllegalArgumentException("an offset goes with scales that are quantised");
    }
    if (rows < 1 || cols < 1) {
      throw new IllegalArgumentException("a weight of [%d, %d]".formatted(rows, cols));
    }
    pythonName(dtype);
  }

  Shape shape() {
    return Shape.of(rows, cols);
  }

  /** Number of weights. */
  long weights() {
    return Math.multiplyExact(rows, cols);
  }

  /** Number of scales. */
  long blocks() {
    return Math.ceilDiv(weights(), format.blockSize());
  }

  /** The name of the tensor that holds this beside {@code weight}. */
  static String tensor(String weight, QuantType type) {
    return weight + PREFIX + type.written();
  }

  /** The weight that a statistic's name belongs to. */
  static Optional<String> weightOf(String tensor) {
    return STATISTICS.stream()
        .filter(tensor::endsWith)
        .map(suffix -> tensor.substring(0, tensor.length() - suffix.length()))
        .filter(weight -> weight.endsWith(".weight"))
        .findFirst();
  }

  /**
   * The tensors of a weight, in the order in which bitsandbytes has them: codes first, and this
   * last.
   *
   * @param weight for example {@code model.layers.0.self_attn.q_proj.weight}
   */
  List<TensorInfo> tensors(String weight) {
    boolean nested = format.doubleQuant();
    List<TensorInfo> all = new ArrayList<>();
    all.add(new TensorInfo(weight, DType.U8, Shape.of(Math.ceilDiv(weights(), 2L), 1)));
    all.add(new TensorInfo(weight + ABSMAX, nested ? DType.U8 : DType.F32, Shape.of(blocks())));
    all.add(new TensorInfo(weight + MAP, DType.F32, Shape.of(16)));
    if (nested) {
      long second = Math.ceilDiv(blocks(), BlockScales.NESTED_BLOCK);
      all.add(new TensorInfo(weight + NESTED_ABSMAX, DType.F32, Shape.of(second)));
      all.add(new TensorInfo(weight + NESTED_MAP, DType.F32, Shape.of(256)));
    }
    all.add(new TensorInfo(tensor(weight, format.type()), DType.U8, Shape.of(bytes().length)));
    return all;
  }

  byte[] bytes() {
    return json().getBytes(StandardCharsets.UTF_8);
  }

  /** As {@code json.dumps} of Python writes it, to the byte. */
  String json() {
    StringBuilder json =
        new StringBuilder("{\"quant_type\": \"%s\"".formatted(format.type().written()))
            .append(", \"blocksize\": ")
            .append(format.blockSize())
            .append(", \"dtype\": \"%s\"".formatted(pythonName(dtype)))
            .append(", \"shape\": [%d, %d]".formatted(rows, cols));
    offset.ifPresent(mean ->
        json.append(", \"nested_blocksize\": ")
            .append(BlockScales.NESTED_BLOCK)
            .append(", \"nested_dtype\": \"float32\", \"nested_offset\": ")
            .append(PythonFloat.repr(mean)));
    return json.append('}').toString();
  }

  static String pythonName(DType dtype) {
    return switch (dtype) {
      case F32 -> "float32";
      case BF16 -> "bfloat16";
      case F16 -> "float16";
      default -> throw new IllegalArgumentException("a weight of " + dtype);
    };
  }
}
