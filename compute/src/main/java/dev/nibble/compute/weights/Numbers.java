package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.util.Arrays;
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
   * Numbers of a few bits: {@code number[g] = (code[g] - zeros[p]) * scales[p]} in float32, with p
   * the pair of a scale and a zero point that g shares, see {@link Sharing}.
   *
   * @param codes U8 [ceil(count * bits / 8)], a stream as that of {@link Affine}
   * @param count how many numbers
   * @param bits of a code, 1 to 8
   * @param scales F32 or F16, one for each pair
   * @param zeros of the same dtype and size
   * @param sharing which numbers share a pair
   */
  record Quantized(Tensor codes, long count, int bits, Tensor scales, Tensor zeros, Sharing sharing)
      implements Numbers {

    /** Checks that the parts fit each other. */
    public Quantized {
      boolean reals = scales.dtype() == DType.F32 || scales.dtype() == DType.F16;
      if (bits < 1
          || bits > Byte.SIZE
          || codes.dtype() != DType.U8
          || codes.elements() != Affine.bytes(count, bits)
          || !reals
          || scales.dtype() != zeros.dtype()
          || scales.elements() != sharing.pairs(count)
          || zeros.elements() != scales.elements()) {
        throw new IllegalArgumentException(
            "%s, %s, %s: expected U8 codes of %d numbers in %d bits, and %d scales and zero points in F32 or F16"
                .formatted(codes, scales, zeros, count, bits, sharing.pairs(count)));
      }
    }

    /** Numbers in 8 bits of which every n-th share one of n pairs. */
    public Quantized(Tensor codes, Tensor scales, Tensor zeros) {
      this(
          codes,
          codes.elements(),
          Byte.SIZE,
          scales,
          zeros,
          new Sharing(scales.elements(), Math.max(scales.elements(), codes.elements())));
    }

    /** The code of number {@code g}, on the host. */
    public int code(long g) {
      return Affine.code(codes, bits, g);
    }

    /** Sets all codes, on the host. */
    public void putCodes(byte[] all) {
      Affine.pack(all, bits, codes);
    }

    @Override
    public float get(long g) {
      long pair = sharing.pair(g);
      return (code(g) - zeros.getFloat(pair)) * scales.getFloat(pair);
    }

    @Override
    public long bytes() {
      return codes.bytes() + scales.bytes() + zeros.bytes();
    }

    @Override
    public Quantized over(UnaryOperator<Tensor> other) {
      return new Quantized(
          other.apply(codes), count, bits, other.apply(scales), other.apply(zeros), sharing);
    }

    /**
     * Of the numbers that share a pair, low is the least and high the largest. scale = (high - low)
     * / (2^bits - 1); zero = -low / scale; code = round(number / scale + zero), to even in a tie,
     * with scale and zero as they are held. Where all numbers are the same, or so near that no zero
     * can be held, they become the middle m: scale = |m|, or 1 when that is 0, zero = -m / scale
     * and code = 0.
     */
    @Override
    public void put(float[] values) {
      int largest = (1 << bits) - 1;
      int pairs = Math.toIntExact(scales.elements());
      float[] low = new float[pairs];
      float[] high = new float[pairs];
      Arrays.fill(low, Float.POSITIVE_INFINITY);
      Arrays.fill(high, Float.NEGATIVE_INFINITY);
      for (int g = 0; g < values.length; g++) {
        int pair = (int) sharing.pair(g);
        low[pair] = Math.min(low[pair], values[g]);
        high[pair] = Math.max(high[pair], values[g]);
      }
      boolean[] same = new boolean[pairs];
      for (int pair = 0; pair < pairs; pair++) {
        scales.setFloat(pair, (high[pair] - low[pair]) / largest);
        zeros.setFloat(pair, -low[pair] / scales.getFloat(pair));
        same[pair] = !Float.isFinite(zeros.getFloat(pair));
        if (same[pair]) {
          float middle = low[pair] + (high[pair] - low[pair]) / 2;
          scales.setFloat(pair, middle == 0 ? 1 : Math.abs(middle));
          zeros.setFloat(pair, -Math.signum(middle));
        }
      }
      byte[] all = new byte[values.length];
      for (int g = 0; g < all.length; g++) {
        int pair = (int) sharing.pair(g);
        float code = values[g] / scales.getFloat(pair) + zeros.getFloat(pair);
        all[g] = same[pair] ? 0 : (byte) Math.clamp((long) Math.rint(code), 0, largest);
      }
      putCodes(all);
    }
  }

  /**
   * Which numbers share a pair of a scale and a zero point: number g has pair {@code g / span *
   * stride + g % stride}. With as many strides in a span as a matrix has rows in a block, and as
   * many numbers in a stride as a row has, a pair is one of a block's rows at the same inputs.
   *
   * @param stride neighbours that have pairs of their own
   * @param span numbers after which new pairs begin, a multiple of stride unless it is all numbers
   */
  record Sharing(long stride, long span) {
    /** Checks the numbers. */
    public Sharing {
      if (stride < 1 || span < stride) {
        throw new IllegalArgumentException(
            "pairs for %d neighbours, new ones after %d".formatted(stride, span));
      }
    }

    /** The pair of number {@code g}. */
    public long pair(long g) {
      return g / span * stride + g % stride;
    }

    /** How many strides share their pairs: rows, where a stride is a row's numbers. */
    public int rows() {
      return Math.toIntExact(Math.ceilDiv(span, stride));
    }

    /** How many pairs so many numbers have. */
    public long pairs(long count) {
      return Math.ceilDiv(count, span) * stride;
    }
  }
}
