package dev.nibble.quant;

import java.util.Arrays;

/**
 * The signed 8-bit "dynamic tree" code of arXiv:1511.04561 as bitsandbytes builds it: seven
 * decades, of which decade i holds 2^i values at the middles of equal steps from 0.1 to 1, with
 * both signs; 0; and 1.
 */
final class DynamicMap {
  private static final int DECADES = 7;

  private DynamicMap() {}

  /** 256 ascending values. */
  static float[] signed() {
    float[] map = new float[256];
    int n = 0;
    for (int decade = 0; decade < DECADES; decade++) {
      float power = (float) Math.pow(10, decade - (DECADES - 1));
      float[] bounds = linspace(1 << decade);
      for (int i = 0; i + 1 < bounds.length; i++) {
        float value = power * ((bounds[i] + bounds[i + 1]) / 2);
        map[n++] = value;
        map[n++] = -value;
      }
    }
    map[n++] = 0;
    map[n] = 1;
    Arrays.sort(map);
    return map;
  }

  /**
   * steps + 1 values from 0.1 to 1, each half from its own end with one rounding, as PyTorch does.
   */
  private static float[] linspace(int steps) {
    float from = 0.1f;
    float step = (1 - from) / steps;
    float[] values = new float[steps + 1];
    for (int i = 0; i <= steps; i++) {
      values[i] = i < values.length / 2 ? Math.fma(step, i, from) : Math.fma(-step, steps - i, 1f);
    }
    return values;
  }
}
