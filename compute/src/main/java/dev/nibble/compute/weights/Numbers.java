package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.util.function.UnaryOperator;

/** One number for each group of an {@link Affine} matrix: its scales, or its zero points. */
public sealed interface Numbers {
  /** How many. */
  long count();

  /** Number {@code g}, on the host. */
  float get(long g);

  /** The tensor of numbers that are held as they are. */
  default Tensor plain() {
    throw new IllegalStateException(this + " are quantised");
  }

  /** Bytes of its tensors. */
  long bytes();

  /** The same numbers over other tensors, see {@link FrozenMatrix#over}. */
  Numbers over(UnaryOperator<Tensor> other);

  /**
   * Sets all numbers to the nearest that can be held, on the host.
   *
   * @param values {@link #count} of them
   */
  void put(float[] values);

  /**
   * Numbers as they are.
   *
   * @param values of any dtype; whole numbers where that is one of integers
   */
  record Plain(Tensor values) implements Numbers {
    @Override
    public Tensor plain() {
      return values;
    }

    @Override
    public long count() {
      return values.elements();
    }

    @Override
    public float get(long g) {
      return values.getFloat(g);
    }

    @Override
    public long bytes() {
      return values.bytes();
    }

    @Override
    public Plain over(UnaryOperator<Tensor> other) {
      return new Plain(other.apply(values));
    }

    @Override
    public void put(float[] all) {
      for (int g = 0; g < all.length; g++) {
        if (values.dtype().isFloating()) {
          values.setFloat(g, all[g]);
        } else {
          values.setLong(g, (long) all[g]);
        }
      }
    }
  }

  /**
   * Numbers in 8 bits: {@code number[g] = (codes[g] - zeros[g mod n]) * scales[g mod n]}, with n
   * pairs of a scale and a zero point, in float32.
   *
   * @param codes U8 [count]
   * @param scales F32 [n]
   * @param zeros F32 [n]
   */
  record Quantized(Tensor codes, Tensor scales, Tensor zeros) implements Numbers {
    private static final int LARGEST = 255;

    /** Checks that the parts fit each other. */
    public Quantized {
      boolean floats = scales.dtype() == DType.F32 && zeros.dtype() == DType.F32;
      if (codes.dtype() != DType.U8
          || !floats
          || scales.elements() == 0
          || scales.elements() != zeros.elements()) {
        throw new IllegalArgumentException(
            "%s, %s, %s: expected U8 codes, and as many F32 scales as F32 zero points"
                .formatted(codes, scales, zeros));
      }
    }

    @Override
    public long count() {
      return codes.elements();
    }

    @Override
    public float get(long g) {
      long pair = g % scales.elements();
      return (codes.getInt(g) - zeros.getFloat(pair)) * scales.getFloat(pair);
    }

    @Override
    public long bytes() {
      return codes.bytes() + scales.bytes() + zeros.bytes();
    }

    @Override
    public Quantized over(UnaryOperator<Tensor> other) {
      return new Quantized(other.apply(codes), other.apply(scales), other.apply(zeros));
    }

    /**
     * Of the numbers that share a pair, low is the least and high the largest. scale = (high - low)
     * / 255, or 1 when that is 0; zero = -low / scale; code = round(number / scale + zero), to even
     * in a tie.
     */
    @Override
    public void put(float[] values) {
      int pairs = Math.toIntExact(scales.elements());
      for (int pair = 0; pair < pairs; pair++) {
        float low = Float.POSITIVE_INFINITY;
        float high = Float.NEGATIVE_INFINITY;
        for (int g = pair; g < values.length; g += pairs) {
          low = Math.min(low, values[g]);
          high = Math.max(high, values[g]);
        }
        float range = (high - low) / LARGEST;
        float scale = range > 0 ? range : 1;
        float zero = -low / scale;
        scales.setFloat(pair, scale);
        zeros.setFloat(pair, zero);
        for (int g = pair; g < values.length; g += pairs) {
          codes.setLong(g, Math.clamp((long) Math.rint(values[g] / scale + zero), 0, LARGEST));
        }
      }
    }
  }
}
