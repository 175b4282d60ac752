package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * A frozen matrix in 8-bit integers with a scale and a zero point for each group of consecutive
 * inputs of a row: {@code w[o, i] = (code[o, i] - zero[o, i / group]) * scale[o, i / group]}. The
 * difference is exact, and the product is rounded to float32.
 *
 * @param codes I8 [O, I]
 * @param scales F32 [O, I / group], positive
 * @param zeros I8 [O, I / group]: the code that stands for 0
 */
public record Affine(Tensor codes, Tensor scales, Tensor zeros) implements FrozenMatrix {
  private static final int LEAST = Byte.MIN_VALUE;
  private static final int STEPS = Byte.MAX_VALUE - Byte.MIN_VALUE;

  /** Checks that the parts fit each other. */
  public Affine {
    require(codes, DType.I8, codes.shape());
    require(scales, DType.F32, scales.shape());
    require(zeros, DType.I8, scales.shape());
    boolean matrices = codes.shape().rank() == 2 && scales.shape().rank() == 2;
    if (!matrices
        || codes.dim(0) != scales.dim(0)
        || scales.cols() == 0
        || codes.cols() % scales.cols() != 0) {
      throw new IllegalArgumentException(
          "%s: expected scales of [%d, groups], got %s".formatted(codes, codes.rows(), scales));
    }
  }

  private static void require(Tensor t, DType dtype, Shape shape) {
    if (t.dtype() != dtype || !t.shape().equals(shape)) {
      throw new IllegalArgumentException("%s: expected %s%s".formatted(t, dtype, shape));
    }
  }

  /** Inputs that share a scale and a zero point. */
  public int group() {
    return Math.toIntExact(codes.cols() / scales.cols());
  }

  @Override
  public long rows() {
    return codes.rows();
  }

  @Override
  public long cols() {
    return codes.cols();
  }

  @Override
  public long bytes() {
    return codes.bytes() + scales.bytes() + zeros.bytes();
  }

  @Override
  public Affine over(UnaryOperator<Tensor> other) {
    return new Affine(other.apply(codes), other.apply(scales), other.apply(zeros));
  }

  @Override
  public void decode(long from, long n, MemorySegment to) {
    int group = group();
    long i = from;
    while (i < from + n) {
      long g = i / group; // groups do not straddle rows
      float scale = scales.getFloat(g);
      int zero = zeros.getInt(g);
      for (long end = Math.min(from + n, (g + 1) * group); i < end; i++) {
        to.set(FLOAT, (i - from) * Float.BYTES, (codes.getInt(i) - zero) * scale);
      }
    }
  }

  /**
   * Rounds to the nearest, all in float32. Of a group, low is the least value and high the largest,
   * 0 counted among them, so that 0 stays 0:
   *
   * <ul>
   *   <li>scale = high / 255 - low / 255, or 1 when that is 0
   *   <li>zero = round(-128 - low / scale)
   *   <li>code = round(x / scale + zero)
   * </ul>
   *
   * <p>round is to the nearest integer, to even in a tie, and clamped to [-128, 127]. A value is
   * off by half a scale at most.
   */
  @Override
  public void encode(Tensor in) {
    int groups = Math.toIntExact(scales.elements());
    IntStream.range(0, groups).parallel().forEach(g -> encode(in, g));
  }

  private void encode(Tensor in, int g) {
    int group = group();
    long from = (long) g * group;
    float low = 0;
    float high = 0;
    for (long i = from; i < from + group; i++) {
      low = Math.min(low, in.getFloat(i));
      high = Math.max(high, in.getFloat(i));
    }
    float range = high / STEPS - low / STEPS;
    float scale = range == 0 ? 1 : range;
    int zero = round(LEAST - low / scale);
    scales.setFloat(g, scale);
    zeros.setLong(g, zero);
    for (long i = from; i < from + group; i++) {
      codes.setLong(i, round(in.getFloat(i) / scale + zero));
    }
  }

  private static int round(float x) {
    return Math.clamp((int) Math.rint(x), Byte.MIN_VALUE, Byte.MAX_VALUE);
  }

  /** For example {@code q_proj.weight [64, 64] in 8-bit integers, groups of 32}. */
  @Override
  public String toString() {
    return "%s %s in 8-bit integers, groups of %d".formatted(codes.name(), codes.shape(), group());
  }
}
