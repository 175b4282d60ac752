package dev.nibble.quant.gptq;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.quant.HessianFactor;
import dev.nibble.quant.UnusableWeight;
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

  /** Rows that a thread takes. */
  private static final int ROWS = 128;

  private final Affine out;
  private final boolean symmetric;
  private final int rows;
  private final int cols;
  private final int size;
  private final int block;
  private final int most;
  private final int middle;
  private final float[][] scales;
  private final float[][] zeros;

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
    scales = new float[cols / size][rows];
    zeros = new float[cols / size][rows];
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
    Columns columns = new Columns(in, factor);
    boolean fixed = size == cols || (sorted && !runs);
    if (fixed) {
      fitInOriginalOrder(columns, factor);
    }
    columns.clearDead(factor);
    byte[] codes = new byte[rows * cols];
    int[] groups =
        IntStream.range(0, cols).map(p -> (runs ? p : factor.input(p)) / size).toArray();
    for (int from = 0; from < cols; from += block) {
      Block each = new Block(columns, factor, from, Math.min(cols, from + block), groups);
      IntStream.range(0, Math.ceilDiv(rows, ROWS))
          .parallel()
          .forEach(part -> each.round(part * ROWS, Math.min(rows, (part + 1) * ROWS), !fixed, codes));
    }
    out.putCodes(codes);
    putNumbers();
    if (runs) {
      Tensor index = out.index().orElseThrow();
      for (int p = 0; p < cols; p++) {
        index.setLong(factor.input(p), groups[p]);
      }
    }
  }

  /** The matrix by columns in the order of rounding: weights, and when rounded their errors. */
  private final class Columns {
    private final float[][] w = new float[cols][rows];

    Columns(Tensor in, HessianFactor factor) {
      IntStream.range(0, Math.ceilDiv(rows, ROWS))
          .parallel()
          .forEach(part -> {
            float[] row = new float[cols];
            for (int r = part * ROWS; r < Math.min(rows, (part + 1) * ROWS); r++) {
              in.getFloats((long) r * cols, row);
              for (int p = 0; p < cols; p++) {
                w[p][r] = row[factor.input(p)];
              }
            }
          });
    }

    void clearDead(HessianFactor factor) {
      for (int p = 0; p < cols; p++) {
        if (factor.isDead(factor.input(p))) {
          w[p] = new float[rows];
        }
      }
    }
  }

  /** Groups of consecutive inputs, fitted to the weights as they are. */
  private void fitInOriginalOrder(Columns columns, HessianFactor factor) {
    float[] nothing = new float[rows];
    float[][] byInput = new float[cols][];
    for (int p = 0; p < cols; p++) {
      int input = factor.input(p);
      byInput[input] = size < cols && factor.isDead(input) ? nothing : columns.w[p];
    }
    IntStream.range(0, cols / size)
        .parallel()
        .forEach(g -> fit(byInput, g * size, 0, rows, g));
  }

  /**
   * Sets the numbers of a group's rows.
   *
   * @param w columns, of which {@code size} from {@code column} on are the group's
   */
  private void fit(float[][] w, int column, int first, int n, int group) {
    float[] low = new float[n];
    float[] high = new float[n];
    for (int k = column; k < column + size; k++) {
      float[] x = w[k];
      for (int r = 0; r < n; r++) {
        low[r] = Math.min(low[r], x[r]);
        high[r] = Math.max(high[r], x[r]);
      }
    }
    for (int r = 0; r < n; r++) {
      fit(low[r], high[r], group, first + r);
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
    scales[group][row] = scale;
    zeros[group][row] = Math.min(zero, most);
  }

  /** A scale as the matrix holds it, and not 0. */
  private float held(float scale) {
    return out.scales().plain().dtype() == DType.F16
        ? Half.fromF16(Half.toF16(Math.max(scale, 0x1p-24f)))
        : Math.max(scale, Float.MIN_NORMAL);
  }

  /** Columns from (inclusive) to to (exclusive). */
  private final class Block {
    private final Columns columns;
    private final HessianFactor factor;
    private final int from;
    private final int to;
    private final int[] groups;
    private final dev.nibble.quant.Feedback feedback;
    private final float[][] moves;

    Block(Columns columns, HessianFactor factor, int from, int to, int[] groups) {
      this.columns = columns;
      this.factor = factor;
      this.from = from;
      this.to = to;
      this.groups = groups;
      feedback = factor.feedback(from, to);
      double[][] u = factor.inverse(from, to);
      moves = new float[to - from][to - from];
      for (int i = 0; i < moves.length; i++) {
        for (int j = i + 1; j < moves.length; j++) {
          moves[i][j] = (float) (u[i][j] / u[i][i]);
        }
      }
    }

    /** Rounds some rows; {@code fit}: the groups that begin here are fitted here. */
    void round(int first, int end, boolean fit, byte[] codes) {
      int n = end - first;
      float[][] w = new float[to - from][n];
      for (int i = 0; i < w.length; i++) {
        System.arraycopy(columns.w[from + i], first, w[i], 0, n);
      }
      feedback.add(columns.w, first, n, w);
      for (int i = 0; fit && i < w.length; i += size) {
        fit(w, i, first, n, groups[from + i]);
      }
      float[] error = new float[n];
      for (int i = 0; i < w.length; i++) {
        int group = groups[from + i];
        float[] original = columns.w[from + i];
        int input = factor.input(from + i);
        for (int r = 0; r < n; r++) {
          float scale = scales[group][first + r];
          float zero = zeros[group][first + r];
          float code = Math.clamp((float) Math.rint(w[i][r] / scale) + zero, 0, most);
          float value = scale * (code - zero);
          error[r] = w[i][r] - value;
          original[first + r] -= value;
          codes[(first + r) * cols + input] = (byte) (int) code;
        }
        for (int j = i + 1; j < w.length; j++) {
          move(w[j], error, moves[i][j]);
        }
      }
    }
  }

  private static void move(float[] x, float[] error, float factor) {
    for (int r = 0; r < x.length; r++) {
      x[r] = Math.fma(-factor, error[r], x[r]);
    }
  }

  private void putNumbers() {
    int each = cols / size;
    float[] scale = new float[rows * each];
    float[] zero = new float[rows * each];
    for (int r = 0; r < rows; r++) {
      for (int g = 0; g < each; g++) {
        scale[r * each + g] = scales[g][r];
        zero[r * each + g] = zeros[g][r];
        if (!Float.isFinite(scales[g][r])) {
          throw new UnusableWeight(
              "tensor '%s': the scale of output %d, group %d is beyond %s; its weights are too large"
                  .formatted(out.codes().name(), r, g, out.scales().plain().dtype()));
        }
      }
    }
    out.scales().put(scale);
    out.zeros().put(zero);
  }
}
