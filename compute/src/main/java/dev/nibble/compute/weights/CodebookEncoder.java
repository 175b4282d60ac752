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
    for (int b = 0; b < scales.length; b++) {
      long from = (long) b * out.block();
      scales[b] = block(in, from, Math.min(out.elements(), from + out.block()));
    }
    int zero = code(0);
    int perByte = Byte.SIZE / out.bits();
    for (long i = out.elements(); i % perByte != 0; i++) {
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
    int shift = Byte.SIZE - out.bits() - (int) (bit % Byte.SIZE);
    int mask = ((1 << out.bits()) - 1) << shift;
    long at = bit / Byte.SIZE;
    out.codes().setLong(at, (out.codes().getInt(at) & ~mask) | (code << shift));
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
