package dev.nibble.quant;

import dev.nibble.compute.tensor.Tensor;
import java.util.Comparator;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * How an error in one weight of a row is made up for by those that are not yet rounded, for the
 * methods that round the columns of a matrix [O, I] one after another (GPTQ, arXiv:2210.17323;
 * LDLQ, arXiv:2307.13304): the factor R of the Hessian H = R R^T, R upper triangular, in float64.
 *
 * <p>Columns have positions 0 to I - 1, the order in which they are rounded. With E what the
 * columns before a block B have lost, original less rounded, the block's best values are
 *
 * <pre>{@code W_B + E R_<B,B R_BB^-1}</pre>
 *
 * and inside it column i moves a later j by the negative of its error times U_ij / U_ii, with U =
 * R_BB^-1. That is a block of GPTQ's factor of H^-1 = U^T U, so that H is not inverted.
 *
 * <p>Holds 4 I^2 bytes, and takes I^3 / 3 operations.
 */
public final class HessianFactor {
  /** Fewer tokens than this part of the inputs say too little of how these go together. */
  private static final int INPUTS_PER_TOKEN = 8;

  private final double[][] columns;
  private final int[] order;
  private final boolean[] dead;

  private HessianFactor(double[][] columns, int[] order, boolean[] dead) {
    this.columns = columns;
    this.order = order;
    this.dead = dead;
  }

  /** Which H_jj an input has that was always 0, a dead one. */
  public enum Dead {
    /** 1, before the mean is taken: GPTQ's authors. */
    IN_THE_MEAN,
    /** 1, after the mean was taken and added: SpQR's authors. */
    OUTSIDE_THE_MEAN
  }

  /** The order in which columns are rounded. */
  public enum Order {
    /** As they are. */
    NATURAL,
    /** By falling H_jj, equal ones as they are: "act order". */
    DESCENDING
  }

  /**
   * Factors H = sum + damping * mean(diag) * identity. A multiple of H gives the same feedback, but
   * for dead inputs.
   *
   * @param weight the matrix's name, for errors
   * @param damping a part of the mean, 0.01 for GPTQ
   * @throws UnusableWeight when the moments are not finite, all zero or of fewer tokens than an
   *     eighth of the inputs, and when H is not positive definite
   */
  public static HessianFactor of(
      String weight, SecondMoments moments, double damping, Dead how, Order order) {
    int n = Math.toIntExact(moments.sum().dim(0));
    if (moments.tokens() < Math.ceilDiv(n, INPUTS_PER_TOKEN)) {
      throw new UnusableWeight(
          "tensor '%s': its calibration data are %d tokens, expected at least %d for %d inputs; give more calibration data"
              .formatted(weight, moments.tokens(), Math.ceilDiv(n, INPUTS_PER_TOKEN), n));
    }
    Optional<String> bad = NonFinite.find(moments.sum());
    if (bad.isPresent()) {
      throw new UnusableWeight(
          "tensor '%s': the second moments of its inputs have %s, expected finite numbers; the model's activations overflowed on the calibration data"
              .formatted(weight, bad.get()));
    }
    double[] diagonal = new double[n];
    boolean[] dead = new boolean[n];
    double mean = 0;
    for (int j = 0; j < n; j++) {
      double value = moments.sum().getFloat((long) j * n + j);
      dead[j] = value == 0;
      diagonal[j] = dead[j] ? 1 : value;
      mean += (dead[j] && how == Dead.OUTSIDE_THE_MEAN ? 0 : diagonal[j]) / n;
    }
    if (IntStream.range(0, n).allMatch(j -> dead[j])) {
      throw new UnusableWeight(
          "tensor '%s': all its inputs were 0 on the calibration data, expected some that are not"
              .formatted(weight));
    }
    int[] positions =
        order == Order.NATURAL
            ? IntStream.range(0, n).toArray()
            : IntStream.range(0, n)
                .boxed()
                .sorted(Comparator.comparingDouble(j -> -diagonal[j]))
                .mapToInt(Integer::intValue)
                .toArray();
    double[][] columns = lowerHalf(moments, positions);
    for (int j = 0; j < n; j++) {
      boolean alone = dead[positions[j]] && how == Dead.OUTSIDE_THE_MEAN;
      columns[j][j] = diagonal[positions[j]] + (alone ? 0 : damping * mean);
    }
    OptionalInt failed = ReverseCholesky.factor(columns);
    if (failed.isPresent()) {
      throw new UnusableWeight(
          "tensor '%s': the second moments of its inputs are not positive definite with a damping of %s (at input %d); raise the damping, or give more calibration data"
              .formatted(weight, damping, positions[failed.getAsInt()]));
    }
    return new HessianFactor(columns, positions, dead);
  }

  private static double[][] lowerHalf(SecondMoments moments, int[] positions) {
    int n = positions.length;
    return IntStream.range(0, n)
        .parallel()
        .mapToObj(j -> {
          float[] all = new float[n];
          moments.sum().getFloats((long) positions[j] * n, all);
          double[] row = ReverseCholesky.row(j, n);
          for (int i = 0; i <= j; i++) {
            row[i] = all[positions[i]];
          }
          return row;
        })
        .toArray(double[][]::new);
  }

  /** The number of inputs I. */
  public int inputs() {
    return order.length;
  }

  /** The input whose column has a position. */
  public int input(int position) {
    return order[position];
  }

  /** Whether the input was always 0, so that its weights count for nothing. */
  public boolean isDead(int input) {
    return dead[input];
  }

  /**
   * Some rows of a matrix by the positions of their columns.
   *
   * @param in F32, BF16 or F16 [O, I], on the host
   * @param first of the rows
   */
  public float[][] columns(Tensor in, int first, int rows) {
    float[][] w = new float[order.length][rows];
    float[] row = new float[order.length];
    for (int r = 0; r < rows; r++) {
      in.getFloats((long) (first + r) * row.length, row);
      for (int p = 0; p < w.length; p++) {
        w[p][r] = row[order[p]];
      }
    }
    return w;
  }

  /**
   * U_jj, the root of what is left of H^-1's element when the columns before it are rounded: the
   * inverse of R_jj.
   */
  public double inverseDiagonal(int position) {
    return 1 / columns[position][position];
  }

  /** R_BB^-1 of positions from (inclusive) to to (exclusive), upper triangular. */
  public double[][] inverse(int from, int to) {
    int n = to - from;
    double[][] u = new double[n][n];
    for (int j = 0; j < n; j++) {
      double[] r = columns[from + j];
      u[j][j] = 1 / r[from + j];
      for (int i = j - 1; i >= 0; i--) {
        double sum = 0;
        for (int k = i; k < j; k++) {
          sum += u[i][k] * r[from + k];
        }
        u[i][j] = -sum * u[j][j];
      }
    }
    return u;
  }

  /** R_<B,B R_BB^-1 of the block of positions from (inclusive) to to (exclusive). */
  public Feedback feedback(int from, int to) {
    double[][] u = inverse(from, to);
    float[][] factors =
        IntStream.range(0, to - from)
            .parallel()
            .mapToObj(j -> {
              double[] sum = new double[from];
              for (int i = 0; i <= j; i++) {
                add(sum, u[i][j], columns[from + i]);
              }
              float[] narrow = new float[from];
              for (int k = 0; k < from; k++) {
                narrow[k] = (float) sum[k];
              }
              return narrow;
            })
            .toArray(float[][]::new);
    return new Feedback(factors);
  }

  private static void add(double[] sum, double factor, double[] x) {
    for (int k = 0; k < sum.length; k++) {
      sum[k] = Math.fma(factor, x[k], sum[k]);
    }
  }
}
