package dev.nibble.quant.gptq;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.quant.HessianFactor;
import dev.nibble.quant.RoundingBlock;
import dev.nibble.quant.UnusableWeight;
import java.util.List;
import java.util.stream.IntStream;

/**
 * GPTQ (Frantar et al., arXiv:2210.17323), in blocks of columns: a block is first moved by the
 * errors of all columns before it; then its columns are rounded one after another, and each moves
 * those that follow in the block. See {@link HessianFactor} for both.
 *
 * <p>Of a row's weights in a group, low is the least and high the largest, 0 among them, or -1 and
 * 1 where all are 0; symmetric, low = -m and high = m with m the largest magnitude. Then scale =
 * (high - low) / (2^bits - 1), in the precision that it is held in; zero = round(-low / scale), or
 * 2^(bits-1) symmetric; and code = round(x / scale) + zero, clamped. round is to even in a tie. A
 * zero of 0, which one version of the file format cannot say, is 1 with scale = high / (2^bits -
 * 2).
 *
 * <p>What a group is fitted to:
 *
 * <ul>
 *   <li>a whole row: the weights as they are
 *   <li>consecutive inputs that are rounded in another order ("static groups"): the same, where
 *       weights of dead inputs are 0
 *   <li>consecutive inputs rounded in order, or runs of inputs in the order of rounding, which the
 *       matrix's index then names: weights moved by the errors before the block, and not by those
 *       in it
 * </ul>
 *
 * <p>A block is 128 columns, or as many whole groups as that holds, and at least one. The authors'
 * code differs in two places: where a symmetric group has no negative weight, its range there is 0
 * to m around the same zero, which clips half of it; and a zero of 0 stays.
 */
final class GptqSolver {
  private static final int BLOCK = 128;

  /** Rows that a thread takes together. */
  private static final int ROWS = 128;

  /** Adding and subtracting this rounds a float below 2^22 to the nearest integer, ties to even. */
  private static final float ROUND = 0x1.8p23f;

  private final Affine out;
  private final boolean symmetric;
  private final int rows;
  private final int cols;
  private final int size;
  private final int block;
  private final int most;
  private final int middle;

  /** A solver that fills a matrix on the host. */
  GptqSolver(Affine out, boolean symmetric) {
    this(out, symmetric, BLOCK);
  }

  /** With blocks of another size, of whole groups where these are not whole rows. */
  GptqSolver(Affine out, boolean symmetric, int block) {
    this.out = out;
    this.symmetric = symmetric;
    rows = Math.toIntExact(out.rows());
    cols = Math.toIntExact(out.cols());
    size = out.groups().size();
    this.block = size == cols ? block : Math.max(1, block / size) * size;
    most = (1 << out.bits()) - 1;
    middle = 1 << (out.bits() - 1);
  }

  /**
   * Sets the matrix.
   *
   * @param in F32, BF16 or F16 [O, I], finite, on the host
   * @throws UnusableWeight when a scale is beyond what the matrix holds
   */
  void solve(Tensor in, HessianFactor factor) {
    boolean runs = out.index().isPresent();
    boolean sorted =
        IntStream.range(0, cols).anyMatch(position -> factor.input(position) != position);
    boolean fixed = size == cols || (sorted && !runs);
    int[] groups = IntStream.range(0, cols).map(p -> (runs ? p : factor.input(p)) / size).toArray();
    List<Rows> parts =
        IntStream.range(0, Math.ceilDiv(rows, ROWS))
            .parallel()
            .mapToObj(part -> new Rows(in, factor, part * ROWS, fixed))
            .toList();
    byte[] codes = new byte[Math.toIntExact(out.elements())];
    for (int from = 0; from < cols; from += block) {
      RoundingBlock each = new RoundingBlock(factor, from, Math.min(cols, from + block));
      parts.parallelStream().forEach(part -> part.round(each, groups, !fixed, codes));
    }
    out.putCodes(codes);
    putNumbers(parts);
    if (runs) {
      Tensor index = out.index().orElseThrow();
      for (int p = 0; p < cols; p++) {
        index.setLong(factor.input(p), groups[p]);
      }
    }
  }

  /** Some rows, by columns in the order of rounding: weights, and when rounded their errors. */
  private final class Rows {
    private final int first;
    private final int n;
    private final float[][] w;
    private final float[][] scales;
    private final float[][] zeros;

    /** {@code fit}: all groups are fitted here, and consecutive inputs. */
    Rows(Tensor in, HessianFactor factor, int first, boolean fit) {
      this.first = first;
      n = Math.min(ROWS, rows - first);
      w = factor.columns(in, first, n);
      scales = new float[cols / size][n];
      zeros = new float[cols / size][n];
      float[][] byInput = new float[cols][];
      for (int p = 0; p < cols; p++) {
        boolean dead = factor.isDead(factor.input(p));
        byInput[factor.input(p)] = dead && size < cols ? new float[n] : w[p];
        w[p] = dead ? new float[n] : w[p];
      }
      for (int g = 0; fit && g < cols / size; g++) {
        fit(byInput, g * size, g);
      }
    }

    /** Sets a group's numbers by {@code size} columns from one on. */
    private void fit(float[][] columns, int column, int group) {
      float[] low = new float[n];
      float[] high = new float[n];
      for (int k = column; k < column + size; k++) {
        float[] x = columns[k];
        for (int r = 0; r < n; r++) {
          low[r] = Math.min(low[r], x[r]);
          high[r] = Math.max(high[r], x[r]);
        }
      }
      for (int r = 0; r < n; r++) {
        fit(low[r], high[r], group, r);
      }
    }

    private void fit(float least, float largest, int group, int row) {
      boolean none = least == 0 && largest == 0;
      float high = none ? 1 : symmetric ? Math.max(-least, largest) : largest;
      float low = none ? -1 : symmetric ? -high : least;
      float scale = held((high - low) / most);
      float zero = symmetric ? middle : (float) Math.rint(-low / scale);
      if (zero < 1) {
        zero = 1;
        scale = held(high / (most - 1));
      }
      if (!Float.isFinite(scale)) {
        throw new UnusableWeight(
            "tensor '%s': the scale of output %d, group %d is beyond %s; its weights are too large"
                .formatted(out.codes().name(), first + row, group, out.scales().plain().dtype()));
      }
      scales[group][row] = scale;
      zeros[group][row] = Math.min(zero, most);
    }

    /** {@code fit}: the groups that begin in the block are fitted. */
    void round(RoundingBlock block, int[] groups, boolean fit, byte[] codes) {
      float[][] now = block.begin(w);
      for (int i = 0; fit && i < now.length; i += size) {
        fit(now, i, groups[block.position(i)]);
      }
      float[] code = new float[n];
      float[] error = new float[n];
      for (int i = 0; i < now.length; i++) {
        int group = groups[block.position(i)];
        round(now[i], w[block.position(i)], scales[group], zeros[group], code, error);
        for (int r = 0; r < n; r++) {
          codes[(first + r) * cols + block.input(i)] = (byte) (int) code[r];
        }
        block.move(now, i, error);
      }
    }

    /**
     * Of one column: its codes, by how much they miss it, and the error of the original weights.
     */
    private void round(
        float[] x, float[] original, float[] scale, float[] zero, float[] code, float[] error) {
      for (int r = 0; r < code.length; r++) {
        float steps = Math.min(Math.max(x[r] / scale[r], -most), most);
        float rounded = (steps + ROUND) - ROUND + zero[r];
        code[r] = Math.min(Math.max(rounded, 0), most);
        float value = scale[r] * (code[r] - zero[r]);
        error[r] = x[r] - value;
        original[r] -= value;
      }
    }
  }

  /** A scale as the matrix holds it, and not 0. */
  private float held(float scale) {
    return out.scales().plain().dtype() == DType.F16
        ? Half.fromF16(Half.toF16(Math.max(scale, 0x1p-24f)))
        : Math.max(scale, Float.MIN_NORMAL);
  }

  private void putNumbers(List<Rows> parts) {
    int each = cols / size;
    float[] scale = new float[rows * each];
    float[] zero = new float[rows * each];
    for (Rows part : parts) {
      for (int r = 0; r < part.n; r++) {
        for (int g = 0; g < each; g++) {
          scale[(part.first + r) * each + g] = part.scales[g][r];
          zero[(part.first + r) * each + g] = part.zeros[g][r];
        }
      }
    }
    out.scales().put(scale);
    out.zeros().put(zero);
  }
}
