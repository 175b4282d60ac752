package dev.nibble.quant;

import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.FourBitFormat.QuantType;
import java.util.Locale;
import java.util.Optional;

/**
 * What bitsandbytes notes beside the codes of a 4-bit weight.
 *
 * @param format of codes and scales
 * @param dtype what the weight was before: F32, BF16 or F16
 * @param rows output features O
 * @param cols input features I
 * @param offset the mean of the scales, when they are quantised too
 */
public record QuantState(
    FourBitFormat format, DType dtype, long rows, long cols, Optional<Float> offset) {

  /** What stands between a weight's name and the lower-case name of its type. */
  static final String PREFIX = ".quant_state.bitsandbytes__";

  /** Checks that the parts fit each other. */
  public QuantState {
    if (offset.isPresent() != format.doubleQuant()) {
      throw new IllegalArgumentException("an offset goes with scales that are quantised");
    }
    if (rows < 1 || cols < 1) {
      throw new IllegalArgumentException("a weight of [%d, %d]".formatted(rows, cols));
    }
    pythonName(dtype);
  }

  /** Number of weights. */
  public long weights() {
    return Math.multiplyExact(rows, cols);
  }

  /** Number of scales. */
  public long blocks() {
    return Math.ceilDiv(weights(), format.blockSize());
  }

  /** The name of the tensor that holds this beside {@code weight}. */
  static String tensor(String weight, QuantType type) {
    return weight + PREFIX + typeName(type);
  }

  /** As {@code json.dumps} of Python writes it, to the byte. */
  String json() {
    StringBuilder json =
        new StringBuilder("{\"quant_type\": \"%s\"".formatted(typeName(format.type())))
            .append(", \"blocksize\": ")
            .append(format.blockSize())
            .append(", \"dtype\": \"%s\"".formatted(pythonName(dtype)))
            .append(", \"shape\": [%d, %d]".formatted(rows, cols));
    offset.ifPresent(mean ->
        json.append(", \"nested_blocksize\": ")
            .append(FourBitFormat.NESTED_BLOCK_SIZE)
            .append(", \"nested_dtype\": \"float32\", \"nested_offset\": ")
            .append(PythonFloat.repr(mean)));
    return json.append('}').toString();
  }

  static String typeName(QuantType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  private static String pythonName(DType dtype) {
    return switch (dtype) {
      case F32 -> "float32";
      case BF16 -> "bfloat16";
      case F16 -> "float16";
      default -> throw new IllegalArgumentException("a weight of " + dtype);
    };
  }
}
