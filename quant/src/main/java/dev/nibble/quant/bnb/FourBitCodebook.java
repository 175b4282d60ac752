package dev.nibble.quant.bnb;

import dev.nibble.quant.bnb.FourBitFormat.QuantType;

/** The value of each 4-bit code, to the bit as bitsandbytes has them. */
final class FourBitCodebook {
  private FourBitCodebook() {}

  /** Sixteen values by code. NF4's ascend; FP4's do not, and its codes 0 and 8 are both 0. */
  static float[] of(QuantType type) {
    return switch (type) {
      case NF4 -> nf4();
      case FP4 -> fp4();
    };
  }

  /** arXiv:2305.14314, appendix E. */
  private static float[] nf4() {
    return new float[] {
      -1.0f,
      -0.6961928f,
      -0.52507305f,
      -0.3949175f,
      -0.28444138f,
      -0.18477343f,
      -0.091050036f,
      0.0f,
      0.0795803f,
      0.1609302f,
      0.2461123f,
      0.33791524f,
      0.44070983f,
      0.562617f,
      0.72295684f,
      1.0f
    };
  }

  /** Bit 3 is the sign; the other three choose a twelfth. */
  private static float[] fp4() {
    double[] twelfths = {0, 0.0625, 8, 12, 4, 6, 2, 3};
    float[] values = new float[16];
    for (int i = 0; i < 8; i++) {
      values[i] = (float) (twelfths[i] / 12);
      values[i + 8] = i == 0 ? 0 : -values[i];
    }
    return values;
  }
}
