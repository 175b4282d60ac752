package dev.nibble.trainer.generate;

import java.util.Arrays;

/** Chooses the next token from logits. */
public sealed interface Sampler {

  /**
   * The next token.
   *
   * @param logits [V]
   * @param draw uniform in [0, 1)
   */
  int choose(float[] logits, double draw);

  /** Always the most likely token; the lowest id of several. */
  record Greedy() implements Sampler {
    @Override
    public int choose(float[] logits, double draw) {
      int best = 0;
      for (int i = 1; i < logits.length; i++) {
        best = logits[i] > logits[best] ? i : best;
      }
      return best;
    }
  }

  /**
   * Draws from softmax(logits / temperature), cut to the {@code topK} most likely tokens and then
   * to the smallest set of most likely tokens that together have at least {@code topP} of what
   * remains (nucleus sampling, arXiv:1904.09751).
   *
   * @param temperature above 0; below 1 sharpens
   * @param topK 0 for no limit
   * @param topP in (0, 1]; 1 for no limit
   */
  record Random(double temperature, int topK, double topP) implements Sampler {
    /** Checks the ranges. */
    public Random {
      require(
          "temperature", temperature, temperature > 0 && Double.isFinite(temperature), "above 0");
      require("top-k", topK, topK >= 0, "0 or more");
      require("top-p", topP, topP > 0 && topP <= 1, "in (0, 1]");
    }

    private static void require(String name, double value, boolean holds, String expected) {
      if (!holds) {
        throw new IllegalArgumentException(
            "%s must be %s, not %s".formatted(name, expected, value));
      }
    }

    @Override
    public int choose(float[] logits, double draw) {
      long[] order = mostLikelyFirst(logits);
      int count = topK == 0 ? order.length : Math.min(topK, order.length);
      double highest = logits[token(order[0])];
      double[] cumulative = new double[count];
      double sum = 0;
      for (int i = 0; i < count; i++) {
        sum += Math.exp((logits[token(order[i])] - highest) / temperature);
        cumulative[i] = sum;
      }
      int kept = firstAtLeast(cumulative, count, topP * sum) + 1;
      return token(order[firstAtLeast(cumulative, kept, draw * cumulative[kept - 1])]);
    }

    /**
     * Token ids below, and above them a key that is smaller for a higher logit, so that ties keep
     * the order of ids.
     */
    private static long[] mostLikelyFirst(float[] logits) {
      long[] order = new long[logits.length];
      for (int i = 0; i < order.length; i++) {
        int bits = Float.floatToIntBits(logits[i]);
        int ascending = bits < 0 ? bits ^ Integer.MAX_VALUE : bits;
        order[i] = ((long) ~ascending << 32) | i;
      }
      Arrays.sort(order);
      return order;
    }

    private static int token(long key) {
      return (int) key;
    }

    private static int firstAtLeast(double[] cumulative, int count, double value) {
      int i = 0;
      while (i < count - 1 && cumulative[i] < value) {
        i++;
      }
      return i;
    }
  }
}
