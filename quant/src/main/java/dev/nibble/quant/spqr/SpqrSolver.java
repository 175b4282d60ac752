package dev.nibble.quant.spqr;

import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Numbers;
import dev.nibble.compute.weights.WithOutliers;
import dev.nibble.quant.HessianFactor;
import dev.nibble.quant.RoundingBlock;
import dev.nibble.quant.UnusableWeight;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * SpQR (Dettmers et al., arXiv:2306.03078): GPTQ in small groups, with outliers. Columns are
 * rounded one after another as {@link RoundingBlock} has it, and groups are runs of them in that
 * order, which the matrix's index names.
 *
 * <p>With e_j the error of a weight in column j, e_j^2 / U_jj^2 is by how much the outputs change
 * when the later columns make up for it as well as they can. A weight is an outlier when that is
 * more than
 *
 * <pre>{@code T = threshold * mean over j of (variance of column j / U_jj^2)}</pre>
 *
 * <p>When the first column of a group is reached, for each row:
 *
 * <ul>
 *   <li>a weight is set aside when without it the sum of e_j^2 / U_jj^2 over the group falls by
 *       more than T; those set aside count as the mean of the others
 *   <li>scale = (high - low) / (2^bits - 1) and zero = -low / scale, with low the least and high
 *       the largest weight; 0 is among them where these are nearly the same
 *   <li>scales and zeros are brought to the form in which the matrix holds them, and taken from
 *       there
 * </ul>
 *
 * <p>The authors take the range from -1 to 1 where all weights are the same, and so where all are
 * set aside, whose means are 0: the large scale then spoils those of the rows that share with it.
 *
 * <p>Then code = round(x / scale + zero), clamped, ties to even. An outlier keeps its value, to 16
 * bits, and its code is that of a 0.
 */
final class SpqrSolver {
  private static final int BLOCK = 128;

  /** Rows that a thread takes together, or more where so many share no scales of scales. */
  private static final int ROWS = 128;

  private final WithOutliers out;
  private final Affine base;
  private final Numbers.Quantized scales;
  private final Numbers.Quantized zeros;
  private final double threshold;
  private final int rows;
  private final int cols;
  private final int size;
  private final int most;

  /**
   * A solver that fills a matrix on the host.
   *
   * @param out over an {@link Affine} matrix with an index, of quantised numbers that rows share
   * @param threshold for outliers; infinite for none
   */
  SpqrSolver(WithOutliers out, double threshold) {
    this.out = out;
    this.threshold = threshold;
    base = (Affine) out.base();
    scales = (Numbers.Quantized) base.scales();
    zeros = (Numbers.Quantized) base.zeros();
    rows = Math.toIntExact(out.rows());
    cols = Math.toIntExact(out.cols());
    size = base.groups().size();
    most = (1 << base.bits()) - 1;
  }

  /** A weight that is held apart. */
  private record Outlier(int row, int input, float value) {}

  /**
   * Sets the matrix.
   *
   * @param in F32, BF16 or F16 [O, I], finite, on the host
   * @throws UnusableWeight when there are more outliers than the matrix has room for, or one is
   *     beyond what it can hold
   */
  void solve(Tensor in, HessianFactor factor) {
    int together = scales.sharing().rows();
    int each = Math.ceilDiv(ROWS, together) * together;
    List<Rows> parts =
        IntStream.range(0, Math.ceilDiv(rows, each))
            .parallel()
            .mapToObj(part -> new Rows(in, factor, part * each, Math.min(each, rows - part * each)))
            .toList();
    float[] factors = new float[cols];
    for (int p = 0; p < cols; p++) {
      factors[p] = (float) (1 / factor.inverseDiagonal(p));
    }
    float limit = (float) (threshold * spread(parts, factors));
    int block = Math.max(1, BLOCK / size) * size;
    byte[] codes = new byte[Math.toIntExact(out.elements())];
    for (int from = 0; from < cols; from += block) {
      RoundingBlock now = new RoundingBlock(factor, from, Math.min(cols, from + block));
      parts.parallelStream().forEach(part -> part.round(now, factors, limit, codes));
    }
    base.putCodes(codes);
    byte[] numbers = new byte[Math.toIntExact(scales.count())];
    parts.forEach(part -> part.ofScales.copyTo(numbers));
    scales.putCodes(numbers);
    parts.forEach(part -> part.ofZeros.copyTo(numbers));
    zeros.putCodes(numbers);
    Tensor index = base.index().orElseThrow();
    for (int p = 0; p < cols; p++) {
      index.setLong(factor.input(p), p / size);
    }
    putOutliers(parts);
  }

  /** The mean over columns of their variance / U_jj^2, or infinite where there is no variance. */
  private double spread(List<Rows> parts, float[] factors) {
    if (rows < 2) {
      return Double.POSITIVE_INFINITY;
    }
    double[] spreads =
        IntStream.range(0, cols)
            .parallel()
            .mapToDouble(p -> {
              double mean = parts.stream().mapToDouble(part -> sum(part.w[p], 0, 1)).sum() / rows;
              double squares = parts.stream().mapToDouble(part -> sum(part.w[p], mean, 2)).sum();
              return squares / (rows - 1) * factors[p] * factors[p] / cols;
            })
            .toArray();
    double spread = 0; // in this order, whatever the number of threads
    for (double each : spreads) {
      spread += each;
    }
    return spread == 0 ? Double.POSITIVE_INFINITY : spread;
  }

  /** The sum of (x - less)^power. */
  private static double sum(float[] all, double less, int power) {
    double sum = 0;
    for (float x : all) {
      sum += power == 2 ? (x - less) * (x - less) : x - less;
    }
    return sum;
  }

  private void putOutliers(List<Rows> parts) {
    List<Outlier> all =
        parts.stream()
            .flatMap(part -> part.outliers.stream())
            .sorted(Comparator.comparingInt(Outlier::row).thenComparingInt(Outlier::input))
            .toList();
    Tensor values = out.values();
    if (all.size() > values.elements()) {
      throw new UnusableWeight(
          "tensor '%s': %d of its %d weights are outliers, and there is room for %d; raise the outlier threshold of %s, or take more bits"
              .formatted(
                  base.codes().name(), all.size(), out.elements(), values.elements(), threshold));
    }
    out.starts().memory().fill((byte) 0);
    for (int e = 0; e < all.size(); e++) {
      Outlier outlier = all.get(e);
      out.starts().setLong(outlier.row() + 1, e + 1L);
      out.columns().setLong(e, outlier.input());
      values.setFloat(e, outlier.value());
      if (!Float.isFinite(values.getFloat(e))) {
        throw new UnusableWeight(
            "tensor '%s': the outlier %s of output %d, input %d is beyond %s; its weights are too large"
                .formatted(
                    base.codes().name(),
                    outlier.value(),
                    outlier.row(),
                    outlier.input(),
                    values.dtype()));
      }
    }
    for (int r = 0; r < rows; r++) {
      int here = out.starts().getInt(r + 1);
      out.starts().setLong(r + 1, Math.max(here, out.starts().getInt(r)));
    }
  }

  /** Some rows, by columns in the order of rounding: weights, and when rounded their errors. */
  private final class Rows {
    private final int first;
    private final int n;
    private final float[][] w;
    private final RowStatistics ofScales;
    private final RowStatistics ofZeros;
    private final List<Outlier> outliers = new ArrayList<>();

    Rows(Tensor in, HessianFactor factor, int first, int n) {
      this.first = first;
      this.n = n;
      w = factor.columns(in, first, n);
      for (int p = 0; p < cols; p++) {
        if (factor.isDead(factor.input(p))) {
          w[p] = new float[n];
        }
      }
      ofScales = new RowStatistics(scales, first, n);
      ofZeros = new RowStatistics(zeros, first, n);
    }

    /** A block holds whole groups. */
    void round(RoundingBlock block, float[] factors, float limit, byte[] codes) {
      float[][] now = block.begin(w);
      float[] code = new float[n];
      float[] error = new float[n];
      for (int from = 0; from < now.length; from += size) {
        int position = block.position(from);
        RowGrids grids =
            fit(
                Arrays.copyOfRange(now, from, from + size),
                position / size,
                Arrays.copyOfRange(factors, position, position + size),
                limit);
        for (int i = from; i < from + size; i++) {
          grids.round(now[i], code, error);
          setApart(now[i], factors[block.position(i)], limit, grids, block.input(i), code, error);
          float[] original = w[block.position(i)];
          for (int r = 0; r < n; r++) {
            codes[(first + r) * cols + block.input(i)] = (byte) (int) code[r];
            original[r] -= now[i][r] - error[r];
          }
          block.move(now, i, error);
        }
      }
    }

    /** Of one column, the weights whose errors cost more than the limit have none. */
    private void setApart(
        float[] x,
        float factor,
        float limit,
        RowGrids grids,
        int input,
        float[] code,
        float[] error) {
      for (int r = 0; r < n; r++) {
        float loss = error[r] * factor;
        if (loss * loss > limit) {
          outliers.add(new Outlier(first + r, input, x[r]));
          code[r] = grids.code(0, r);
          error[r] = 0;
        }
      }
    }

    private RowGrids fit(float[][] columns, int group, float[] factors, float limit) {
      float[][] kept = Float.isInfinite(limit) ? columns : withoutOutliers(columns, factors, limit);
      RowGrids fitted = RowGrids.over(kept, RowGrids.NONE, most);
      float[] scale = ofScales.put(group, fitted.scale());
      float[] zero = ofZeros.put(group, fitted.zero());
      for (int r = 0; r < n; r++) {
        if (!Float.isFinite(scale[r]) || !Float.isFinite(zero[r])) {
          throw new UnusableWeight(
              "tensor '%s': the scale %s of output %d is beyond %s; its weights are too large"
                  .formatted(
                      base.codes().name(), fitted.scale()[r], first + r, scales.scales().dtype()));
        }
      }
      return new RowGrids(scale, zero, most);
    }

    /**
     * The columns of a group, where weights that are set aside are the mean of their row's others.
     */
    private float[][] withoutOutliers(float[][] columns, float[] factors, float limit) {
      float[] all = new float[n];
      RowGrids.over(columns, RowGrids.NONE, most).addLosses(columns, RowGrids.NONE, factors, all);
      boolean[][] aside = new boolean[size][n];
      float[] sums = new float[n];
      int[] counts = new int[n];
      for (int k = 0; k < size; k++) {
        float[] others = new float[n];
        if (size > 1) {
          RowGrids.over(columns, k, most).addLosses(columns, k, factors, others);
        }
        for (int r = 0; r < n; r++) {
          aside[k][r] = all[r] - others[r] > limit;
          sums[r] += aside[k][r] ? 0 : columns[k][r];
          counts[r] += aside[k][r] ? 0 : 1;
        }
      }
      float[][] kept = new float[size][n];
      for (int k = 0; k < size; k++) {
        for (int r = 0; r < n; r++) {
          kept[k][r] = aside[k][r] ? sums[r] / Math.max(1, counts[r]) : columns[k][r];
        }
      }
      return kept;
    }
  }
}
