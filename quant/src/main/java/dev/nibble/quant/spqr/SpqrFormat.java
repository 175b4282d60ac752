package dev.nibble.quant.spqr;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Groups;
import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.compute.weights.Numbers;
import dev.nibble.compute.weights.WithOutliers;
import dev.nibble.quant.CalibratedFormat;
import dev.nibble.quant.HessianFactor;
import dev.nibble.quant.SecondMoments;
import dev.nibble.quant.UnusableWeight;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;

/**
 * SpQR (Dettmers et al., arXiv:2306.03078): {@link Affine} matrices in small groups of inputs,
 * whose scales and zero points have a few bits as well, and {@link WithOutliers} in float16,
 * rounded so that a map's outputs on the calibration data change little. Inputs with large second
 * moments are rounded first, and groups are runs in that order.
 *
 * @param bits of a code: 2, 3, 4 or 8
 * @param groupSize inputs that share a scale and a zero point
 * @param rowsTogether outputs whose scales, and zero points, at the same inputs share a scale and a
 *     zero point of theirs, in float16
 * @param statisticBits of a scale and of a zero point
 * @param outlierThreshold see {@link SpqrSolver}; infinite for no outliers
 * @param damping a part of the mean of H's diagonal that is added to it, above 0
 */
public record SpqrFormat(
    int bits,
    int groupSize,
    int rowsTogether,
    int statisticBits,
    double outlierThreshold,
    double damping)
    implements CalibratedFormat {
  /** The widths that codes can have. */
  public static final List<Integer> BITS = List.of(8, 4, 3, 2);

  /** The group size of the paper's nearly lossless setting. */
  public static final int DEFAULT_GROUP_SIZE = 16;

  /** The outlier threshold of that setting. */
  public static final double DEFAULT_OUTLIER_THRESHOLD = 0.2;

  /** The damping of that setting. */
  public static final double DEFAULT_DAMPING = 1;

  private static final int DEFAULT_ROWS_TOGETHER = 16;
  private static final int DEFAULT_STATISTIC_BITS = 3;

  /** One weight in so many has room as an outlier while a matrix is made. */
  private static final int ROOM = 8;

  private static final String GROUP = "weights/";

  /** Checks the numbers. */
  public SpqrFormat {
    if (!BITS.contains(bits)) {
      throw new IllegalArgumentException(
          "SpQR in %d bits: expected one of %s".formatted(bits, BITS));
    }
    if (groupSize < 1 || rowsTogether < 1) {
      throw new IllegalArgumentException(
          "SpQR in groups of %d inputs, %d rows together: expected positive numbers"
              .formatted(groupSize, rowsTogether));
    }
    if (statisticBits < 1 || statisticBits > Byte.SIZE) {
      throw new IllegalArgumentException(
          "SpQR with statistics of %d bits: expected 1 to 8".formatted(statisticBits));
    }
    if (!(outlierThreshold > 0)) {
      throw new IllegalArgumentException(
          "SpQR with an outlier threshold of %s: expected a positive number"
              .formatted(outlierThreshold));
    }
    if (!(damping > 0 && Double.isFinite(damping))) {
      throw new IllegalArgumentException(
          "SpQR with a damping of %s: expected a positive number".formatted(damping));
    }
  }

  /** The usual one: 16 rows together, statistics of 3 bits, the paper's threshold and damping. */
  public SpqrFormat(int bits, int groupSize) {
    this(
        bits,
        groupSize,
        DEFAULT_ROWS_TOGETHER,
        DEFAULT_STATISTIC_BITS,
        DEFAULT_OUTLIER_THRESHOLD,
        DEFAULT_DAMPING);
  }

  /** The same with another threshold and damping. */
  public SpqrFormat with(double threshold, double part) {
    return new SpqrFormat(bits, groupSize, rowsTogether, statisticBits, threshold, part);
  }

  @Override
  public String name() {
    return "spqr-" + bits;
  }

  /** For example {@code SpQR, 4 bits, groups of 16, outliers above 0.2}. */
  @Override
  public String describe() {
    return "SpQR, %d bits, groups of %d, %s"
        .formatted(
            bits,
            groupSize,
            Double.isInfinite(outlierThreshold)
                ? "no outliers"
                : "outliers above " + outlierThreshold);
  }

  /** The code, and a share of a scale, a zero point and their pairs; outliers take 32 bits each. */
  @Override
  public double bitsPerWeight() {
    double pairs = 4.0 * Short.SIZE / rowsTogether;
    return bits + (2 * statisticBits + pairs) / groupSize;
  }

  @Override
  public Allocator allocator(Kernels kernels, Scope scope) {
    return (name, rows, cols) ->
        allocate(scope, name, rows, cols, Math.multiplyExact(rows, cols) / ROOM + ROOM, DType.F16);
  }

  /**
   * A matrix to be filled.
   *
   * @param outliers room for so many
   * @param pairs what the scales and zero points of scales and of zero points are held in
   */
  WithOutliers allocate(
      Scope scope, String name, long rows, long cols, long outliers, DType pairs) {
    if (cols % groupSize != 0) {
      throw new UnusableWeight(
          "tensor '%s' has %d inputs, which groups of %d do not divide; take a group size that divides the inputs of every linear layer, such as %d for this one"
              .formatted(
                  name,
                  cols,
                  groupSize,
                  BigInteger.valueOf(cols).gcd(BigInteger.valueOf(groupSize)).longValue()));
    }
    if (cols > WithOutliers.MOST_COLUMNS) {
      throw new UnusableWeight(
          "tensor '%s' has %d inputs, and outliers are named by 16 bits; expected at most %d"
              .formatted(name, cols, WithOutliers.MOST_COLUMNS));
    }
    Affine base =
        new Affine(
            scope.allocate(
                GROUP + name, DType.U8, Affine.bytes(Math.multiplyExact(rows, cols), bits)),
            numbers(scope, name + "_scale", rows, cols / groupSize, pairs),
            numbers(scope, name + "_zero", rows, cols / groupSize, pairs),
            rows,
            cols,
            bits,
            new Groups(Axis.INPUTS, groupSize),
            Optional.of(scope.allocate(GROUP + name + "_index", DType.I32, cols)));
    return new WithOutliers(
        base,
        scope.allocate(GROUP + name + "_outlier_starts", DType.I32, rows + 1),
        scope.allocate(GROUP + name + "_outlier_columns", DType.I16, outliers),
        scope.allocate(GROUP + name + "_outlier_values", DType.F16, outliers));
  }

  private Numbers numbers(Scope scope, String name, long rows, long each, DType pairs) {
    var sharing = new Numbers.Sharing(each, Math.multiplyExact(each, rowsTogether));
    long count = Math.multiplyExact(rows, each);
    return new Numbers.Quantized(
        scope.allocate(GROUP + name, DType.U8, Affine.bytes(count, statisticBits)),
        count,
        statisticBits,
        scope.allocate(GROUP + name + "_scale", pairs, sharing.pairs(count)),
        scope.allocate(GROUP + name + "_zero", pairs, sharing.pairs(count)),
        sharing);
  }

  /** Solved on the host, whose threads all take part. */
  @Override
  public void encode(Kernels kernels, FrozenMatrix out, Tensor in, SecondMoments moments) {
    if (kernels.memory().isPlanned()) {
      return;
    }
    moments.requireInputsOf(out);
    HessianFactor factor = factor(in.name(), moments);
    try (HostCopies host = new HostCopies(kernels)) {
      Tensor values = host.of(in);
      host.change(
          out, near -> new SpqrSolver((WithOutliers) near, outlierThreshold).solve(values, factor));
    }
  }

  /** The feedback that a matrix is rounded by. */
  HessianFactor factor(String weight, SecondMoments moments) {
    return HessianFactor.of(
        weight,
        moments,
        damping,
        HessianFactor.Dead.OUTSIDE_THE_MEAN,
        HessianFactor.Order.DESCENDING);
  }

  @Override
  public SpqrLayout layout() {
    return new SpqrLayout(this);
  }

  @Override
  public String toString() {
    return describe();
  }
}
