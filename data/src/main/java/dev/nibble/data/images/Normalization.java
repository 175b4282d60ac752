package dev.nibble.data.images;

import static dev.nibble.data.images.RgbImage.CHANNELS;

/**
 * The map from a sample x of channel c to a number: (x * factor - mean[c]) / deviation[c], where
 * the product is rounded to float32 and the rest is computed in it.
 */
@SuppressWarnings("ArrayRecordComponent") // read-only; compared by identity only
record Normalization(double factor, float[] mean, float[] deviation) {
  private static final int SAMPLES = 256;

  /** The number that each sample of each channel becomes. */
  float[][] table() {
    float[][] table = new float[CHANNELS][SAMPLES];
    for (int c = 0; c < CHANNELS; c++) {
      for (int x = 0; x < SAMPLES; x++) {
        table[c][x] = ((float) (x * factor) - mean[c]) / deviation[c];
      }
    }
    return table;
  }
}
