package dev.nibble.trainer.model.build;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.weights.Codebook;

/**
 * How bitsandbytes' CPU dequantiser reads codes and scales: row r begins at scale r * floor(I /
 * 64), which differs from its other kernels, and from ours, where rows are not whole blocks.
 */
final class BitsandbytesCpu {
  private BitsandbytesCpu() {}

  /** The weights [O, I] in float32, before they are rounded to the dtype that they had. */
  static float[] dequantize(Codebook weight, Kernels kernels) {
    try (HostCopies host = new HostCopies(kernels)) {
      return dequantize(weight.over(host::of));
    }
  }

  private static float[] dequantize(Codebook q) {
    Codebook.Scales.Nested scales = (Codebook.Scales.Nested) q.scales();
    float[] dense = new float[(int) q.elements()];
    for (int i = 0; i < dense.length; i++) {
      int column = i % (int) q.cols();
      int b = i / (int) q.cols() * ((int) q.cols() / q.block()) + column / q.block();
      float scale =
          scales.codebook().getFloat(scales.codes().getInt(b))
                  * scales.absmax().getFloat(b / scales.block())
              + scales.offset().getFloat(0);
      int pair = q.codes().getInt(i / 2);
      dense[i] = q.codebook().getFloat(i % 2 == 0 ? pair >> 4 : pair & 15) * scale;
    }
    return dense;
  }
}
