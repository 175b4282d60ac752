package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.Tensor;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * bitsandbytes' CPU quantiser, one element at a time, in float32 because its bits are the
 * specification.
 */
final class ReferenceQuantizer {
  /** What bitsandbytes divides by when a block has only zeros. */
  private static final float LEAST = 1e-38f;

  private ReferenceQuantizer() {}

  static void quantize(Quantized out, Tensor in) {
    int n = Math.toIntExact(out.elements());
    int[] ascending = ascending(out.codebook());
    float[] middle = new float[15];
    for (int i = 0; i < 15; i++) {
      float low = out.codebook().getFloat(ascending[i]);
      middle[i] = (low + out.codebook().getFloat(ascending[i + 1])) * 0.5f;
    }
    float[] scales = new float[(n + out.block() - 1) / out.block()];
    int[] codes = new int[n + 1];
    for (int b = 0; b < scales.length; b++) {
      int from = b * out.block();
      int to = Math.min(n, from + out.block());
      for (int i = from; i < to; i++) {
        scales[b] = Math.max(scales[b], Math.abs(in.getFloat(i)));
      }
      float divisor = Math.max(scales[b], LEAST);
      float r = 1 / divisor;
      for (int i = from; i < to; i++) {
        float x = in.getFloat(i);
        float v = to - from == out.block() ? x * r : x / divisor;
        codes[i] = code(Math.clamp(v, -1f, 1f), middle, ascending);
      }
    }
    codes[n] = code(0, middle, ascending);
    for (int j = 0; j < (n + 1) / 2; j++) {
      out.codes().setLong(j, codes[2 * j] << 4 | codes[2 * j + 1]);
    }
    switch (out.scales()) {
      case Quantized.Scales.Plain p -> p.absmax().put(scales);
      case Quantized.Scales.Nested nested -> nest(nested, scales);
    }
  }

  private static int[] ascending(Tensor codebook) {
    return IntStream.range(0, 16)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> codebook.getFloat(i) + 0f))
        .mapToInt(i -> i)
        .toArray();
  }

  private static int code(float v, float[] middle, int[] ascending) {
    int below = 0;
    for (float m : middle) {
      below += m < v ? 1 : 0;
    }
    return ascending[below];
  }

  private static void nest(Quantized.Scales.Nested out, float[] scales) {
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

  static float[] scales(Quantized q) {
    return switch (q.scales()) {
      case Quantized.Scales.Plain p -> p.absmax().toFloats();
      case Quantized.Scales.Nested s -> {
        float[] scales = new float[Math.toIntExact(s.codes().elements())];
        for (int b = 0; b < scales.length; b++) {
          float product =
              s.codebook().getFloat(s.codes().getInt(b)) * s.absmax().getFloat(b / s.block());
          scales[b] = product + s.offset().getFloat(0);
        }
        yield scales;
      }
    };
  }

  /** The weights in float32. */
  static float[] dequantize(Quantized q) {
    float[] scales = scales(q);
    float[] w = new float[Math.toIntExact(q.elements())];
    for (int i = 0; i < w.length; i++) {
      int pair = q.codes().getInt(i / 2);
      w[i] = q.codebook().getFloat(i % 2 == 0 ? pair >> 4 : pair & 15) * scales[i / q.block()];
    }
    return w;
  }
}
