package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook.Scales;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Rounding to a codebook, one element at a time, see {@link Codebook#encode}. */
final class CodebookEncoder {
  /** The least that a block is divided by; bitsandbytes'. */
  private static final float LEAST = 1e-38f;

  private final Codebook out;
  private final int[] ascending;
  private final float[] midpoints;

  CodebookEncoder(Codebook out) {
    this.out = out;
    Tensor values = out.codebook();
    ascending =
        IntStream.range(0, Math.toIntExact(values.elements()))
            .boxed()
            .sorted(Comparator.comparingDouble(i -> values.getFloat(i) + 0f)) // -0 is 0
            .mapToInt(i -> i)
            .toArray();
    midpoints = new float[ascending.length - 1];
    for (int i = 0; i < midpoints.length; i++) {
      float low = values.getFloat(ascending[i]);
      midpoints[i] = (low + values.getFloat(ascending[i + 1])) * 0.5f;
    }
  }

  void encode(Tensor in) {
    float[] scales = new float[Math.toIntExact(out.blocks())];
    out.codes().setLong(out.codes().elements() - 1, 0);
    for (int b = 0; b < scales.length; b++) {
      long from = (long) b * out.block();
      scales[b] = block(in, from, Math.min(out.elements(), from + out.block()));
    }
    int zero = code(0);
    long room = out.codes().elements() * Byte.SIZE / out.bits();
    for (long i = out.elements(); i < room; i++) {
      put(i, zero);
    }
    switch (out.scales()) {
      case Scales.Plain p -> p.absmax().put(scales);
      case Scales.Nested nested -> nest(nested, scales);
    }
  }

  /** Writes the codes of a block; returns its scale. */
  private float block(Tensor in, long from, long to) {
    float absmax = 0;
    for (long i = from; i < to; i++) {
      absmax = Math.max(absmax, Math.abs(in.getFloat(i)));
    }
    float divisor = Math.max(absmax, LEAST);
    float reciprocal = 1 / divisor;
    boolean whole = to - from == out.block();
    for (long i = from; i < to; i++) {
      float x = in.getFloat(i);
      put(i, code(Math.clamp(whole ? x * reciprocal : x / divisor, -1f, 1f)));
    }
    return absmax;
  }

  private int code(float v) {
    int below = 0;
    for (float m : midpoints) {
      below += m < v ? 1 : 0;
    }
    return ascending[below];
  }

  private void put(long i, int code) {
    long bit = i * out.bits();
    long at = bit / Byte.SIZE;
    int shift = Byte.SIZE - out.bits() - (int) (bit % Byte.SIZE);
    if (shift >= 0) {
      put(at, code << shift, ((1 << out.bits()) - 1) << shift);
    } else { // the last of its bits begin the next byte
      int rest = Byte.SIZE + shift;
      put(at, code >> -shift, (1 << (out.bits() + shift)) - 1);
      put(at + 1, code << rest, -1 << rest);
    }
  }

  /** Sets the bits of byte {@code at} that {@code mask} has. */
  private void put(long at, int bits, int mask) {
    out.codes().setLong(at, ((out.codes().getInt(at) & ~mask) | (bits & mask)) & 0xff);
  }

  private static void nest(Scales.Nested out, float[] scales) {
    float offset = NestedScales.offset(scales);
    out.offset().put(offset);
    byte[] codeOfBin = NestedScales.codeOfBin(out.codebook().toFloats());
    for (int from = 0; from < scales.length; from += out.block()) {
      int to = Math.min(scales.length, from + out.block());
      float absmax = 0;
      for (int b = from; b < to; b++) {
        absmax = Math.max(absmax, Math.abs(scales[b] - offset));
      }
      out.absmax().setFloat(from / out.block(), absmax);
      for (int b = from; b < to; b++) {
        float v = absmax > 0 ? (scales[b] - offset) * (1 / absmax) : 0;
        out.codes().setLong(b, codeOfBin[NestedScales.bin(v)]);
      }
    }
  }
}
