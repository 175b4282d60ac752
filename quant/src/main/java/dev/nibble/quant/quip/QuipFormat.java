package dev.nibble.quant.quip;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.E8Lattice;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Lattice;
import dev.nibble.compute.weights.LowRank;
import dev.nibble.compute.weights.Rotated;
import dev.nibble.compute.weights.Rotation;
import dev.nibble.quant.CalibratedFormat;
import dev.nibble.quant.HessianFactor;
import dev.nibble.quant.SecondMoments;
import dev.nibble.quant.UnusableWeight;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.random.RandomGenerator;

/**
 * QuIP# without its fine-tuning (Tseng et al., arXiv:2402.04396): {@link Lattice} matrices in a
 * random basis, see {@link Rotated}, rounded so that a map's outputs on the calibration data change
 * little. With a rank it is CALDERA (Saha et al., arXiv:2405.18886): a product L R of that rank,
 * with factors in 4 bits, takes what it can of what rounding loses.
 *
 * @param bits of a weight: 2, or 3 or 4 with residuals
 * @param rank of L R: 0 for none, {@link #FITTING}, or a number
 * @param passes of rounding again after the first, see {@link LatticeRounding}
 * @param damping a part of the mean of H's diagonal that is added to it, above 0
 */
public record QuipFormat(int bits, int rank, int passes, double damping)
    implements CalibratedFormat {
  /** The widths that weights can have. */
  public static final List<Integer> BITS = List.of(4, 3, 2);

  /**
   * Stands for a rank of a thirty-second of a matrix's smaller side, at least 8: 128 of a matrix of
   * 4,096 by 4,096, for which it costs a quarter of a bit a weight.
   */
  public static final int FITTING = -1;

  /** The passes of the QuIP# paper. */
  public static final int DEFAULT_PASSES = 10;

  /** The damping of the QuIP# paper. */
  public static final double DEFAULT_DAMPING = 0.01;

  private static final int FACTOR_BITS = 4;
  private static final int PART = 32;

  /** Rounds of CALDERA; the paper takes 20. */
  private static final int ROUNDS = 10;

  private static final String GROUP = "weights/";

  /** Checks the numbers. */
  public QuipFormat {
    if (!BITS.contains(bits)) {
      throw new IllegalArgumentException(
          "QuIP# in %d bits: expected one of %s".formatted(bits, BITS));
    }
    if (rank < FITTING) {
      throw new IllegalArgumentException("CALDERA of rank %d".formatted(rank));
    }
    if (passes < 0) {
      throw new IllegalArgumentException("QuIP# with %d passes".formatted(passes));
    }
    if (!(damping > 0 && Double.isFinite(damping))) {
      throw new IllegalArgumentException(
          "QuIP# with a damping of %s: expected a positive number".formatted(damping));
    }
  }

  /** QuIP# with the paper's passes and damping. */
  public static QuipFormat quip(int bits) {
    return new QuipFormat(bits, 0, DEFAULT_PASSES, DEFAULT_DAMPING);
  }

  /** CALDERA of a rank, with the passes and the damping of QuIP#. */
  public static QuipFormat caldera(int bits, int rank) {
    if (rank == 0) {
      throw new IllegalArgumentException("CALDERA of rank 0, which is QuIP#");
    }
    return new QuipFormat(bits, rank, DEFAULT_PASSES, DEFAULT_DAMPING);
  }

  /** The same with other passes and damping. */
  public QuipFormat with(int otherPasses, double otherDamping) {
    return new QuipFormat(bits, rank, otherPasses, otherDamping);
  }

  @Override
  public String name() {
    return rank == 0 ? "quip-" + bits : "caldera-" + bits;
  }

  /** For example {@code QuIP#, 2 bits} or {@code CALDERA, 2 bits and a product of rank 64}. */
  @Override
  public String describe() {
    return switch (rank) {
      case 0 -> "QuIP#, %d bits".formatted(bits);
      case FITTING -> "CALDERA, %d bits and a product of rank 1/%d".formatted(bits, PART);
      default -> "CALDERA, %d bits and a product of rank %d".formatted(bits, rank);
    };
  }

  /**
   * Signs take 8 bits for each output and input, which a large matrix does not feel. A given rank
   * is counted for a matrix of 4,096 by 4,096.
   */
  @Override
  public double bitsPerWeight() {
    double part = rank == FITTING ? 1.0 / PART : rank / 4096.0;
    return bits + 2 * FACTOR_BITS * part;
  }

  /** The rank that a matrix's L R has; 0 for none. */
  long rankOf(long rows, long cols) {
    return rank == FITTING ? Math.max(8, Math.min(rows, cols) / PART / 8 * 8) : rank;
  }

  @Override
  public Allocator allocator(Kernels kernels, Scope scope) {
    Map<Long, Tensor> bases = new HashMap<>();
    return (name, rows, cols) -> {
      if (cols % E8Lattice.EIGHT != 0) {
        throw new UnusableWeight(
            "tensor '%s' has %d inputs, which are taken eight at a time; expected a multiple of 8, or leave this layer as it is"
                .formatted(name, cols));
      }
      long k = rankOf(rows, cols);
      if (k > Math.min(rows, cols) || (k > 0 && rows % E8Lattice.EIGHT != 0)) {
        throw new UnusableWeight(
            "tensor '%s' is [%d, %d]; expected at least %d outputs and inputs, and outputs that are a multiple of 8, for a product of rank %d; take a smaller rank, or leave this layer as it is"
                .formatted(name, rows, cols, k, k));
      }
      return new Rotated(
          lattice(scope, name, bits, rows, cols),
          k == 0
              ? Optional.empty()
              : Optional.of(
                  new LowRank(
                      lattice(scope, name + "_left", FACTOR_BITS, k, rows),
                      lattice(scope, name + "_right", FACTOR_BITS, k, cols))),
          rotation(kernels, scope, bases, name, "outputs", rows),
          rotation(kernels, scope, bases, name, "inputs", cols));
    };
  }

  private static Lattice lattice(Scope scope, String name, int bits, long rows, long cols) {
    long eights = cols / E8Lattice.EIGHT;
    return new Lattice(
        scope.allocate(GROUP + name, DType.I16, rows, eights),
        residuals(bits)
            .map(dtype -> scope.allocate(GROUP + name + "_residuals", dtype, rows, eights)),
        scope.allocate(GROUP + name + "_scales", DType.F32, bits > 2 ? 2 : 1));
  }

  /** The dtype of residuals. */
  static Optional<DType> residuals(int bits) {
    return switch (bits) {
      case 2 -> Optional.empty();
      case 3 -> Optional.of(DType.U8);
      default -> Optional.of(DType.I16);
    };
  }

  private static Rotation rotation(
      Kernels kernels, Scope scope, Map<Long, Tensor> bases, String name, String side, long n) {
    Tensor base =
        bases.computeIfAbsent(
            n,
            size -> {
              Tensor host =
                  Rotation.baseOf(size)
                      .orElseThrow(() ->
                          new UnusableWeight(
                              "tensor '%s' has %d %s, and no Hadamard matrix of that size is known here; leave this layer as it is"
                                  .formatted(name, size, side)));
              Tensor made =
                  scope.allocate(GROUP + "hadamard_" + size, DType.I8, host.dim(0), host.dim(1));
              kernels.moving().copy(made, host);
              return made;
            });
    return new Rotation(scope.allocate(GROUP + name + "_" + side, DType.I8, n), base);
  }

  /** Solved on the host, whose threads all take part. */
  @Override
  public void encode(Kernels kernels, FrozenMatrix out, Tensor in, SecondMoments moments) {
    if (kernels.memory().isPlanned()) {
      return;
    }
    moments.requireInputsOf(out);
    try (HostCopies host = new HostCopies(kernels)) {
      Tensor values = host.of(in);
      host.change(out, near -> solve((Rotated) near, values, moments));
    }
  }

  private void solve(Rotated out, Tensor in, SecondMoments moments) {
    RandomGenerator random = new Random(in.name().hashCode());
    draw(out.outputs().signs(), random);
    draw(out.inputs().signs(), random);
    float[] w = out.rotated(in);
    Tensor rotated = rotated(out.inputs(), moments.sum());
    HessianFactor factor =
        HessianFactor.of(
            in.name(),
            new SecondMoments(rotated, moments.tokens()),
            damping,
            HessianFactor.Dead.IN_THE_MEAN,
            HessianFactor.Order.NATURAL);
    float[] damped = damped(rotated);
    if (rank == 0) {
      new LatticeRounding((Lattice) out.base()).solve(w, factor, damped, passes);
    } else {
      new CalderaSolver(out, factor, damped, random.nextLong()).solve(w, ROUNDS, passes);
    }
  }

  private static void draw(Tensor signs, RandomGenerator random) {
    for (int i = 0; i < signs.elements(); i++) {
      signs.setLong(i, random.nextBoolean() ? 1 : -1);
    }
  }

  /** V H V^T. */
  private static Tensor rotated(Rotation inputs, Tensor sum) {
    float[] all = sum.toFloats();
    inputs.rows(all);
    inputs.columns(all);
    return Tensor.onHost("H", DType.F32, sum.shape(), MemorySegment.ofArray(all));
  }

  /** As the factor has it. */
  private float[] damped(Tensor h) {
    float[] all = h.toFloats();
    int n = Math.toIntExact(h.dim(0));
    double mean = 0;
    for (int j = 0; j < n; j++) {
      mean += all[j * n + j] / (double) n;
    }
    for (int j = 0; j < n; j++) {
      all[j * n + j] += (float) (damping * mean);
    }
    return all;
  }

  @Override
  public QuipLayout layout() {
    return new QuipLayout(this);
  }

  @Override
  public String toString() {
    return describe();
  }
}
