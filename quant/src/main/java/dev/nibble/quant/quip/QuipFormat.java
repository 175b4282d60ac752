package dev.nibble.quant.quip;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.E8Lattice;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Lattice;
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
 * little.
 *
 * @param bits of a weight: 2, or 4 with residuals
 * @param passes of rounding again after the first, see {@link LatticeRounding}
 * @param damping a part of the mean of H's diagonal that is added to it, above 0
 */
public record QuipFormat(int bits, int passes, double damping) implements CalibratedFormat {
  /** The widths that weights can have. */
  public static final List<Integer> BITS = List.of(4, 2);

  /** The passes of the paper. */
  public static final int DEFAULT_PASSES = 10;

  /** The damping of the paper. */
  public static final double DEFAULT_DAMPING = 0.01;

  private static final String GROUP = "weights/";

  /** Checks the numbers. */
  public QuipFormat {
    if (!BITS.contains(bits)) {
      throw new IllegalArgumentException(
          "QuIP# in %d bits: expected one of %s".formatted(bits, BITS));
    }
    if (passes < 0) {
      throw new IllegalArgumentException("QuIP# with %d passes".formatted(passes));
    }
    if (!(damping > 0 && Double.isFinite(damping))) {
      throw new IllegalArgumentException(
          "QuIP# with a damping of %s: expected a positive number".formatted(damping));
    }
  }

  /** The usual one. */
  public QuipFormat(int bits) {
    this(bits, DEFAULT_PASSES, DEFAULT_DAMPING);
  }

  @Override
  public String name() {
    return "quip-" + bits;
  }

  /** For example {@code QuIP#, 2 bits}. */
  @Override
  public String describe() {
    return "QuIP#, %d bits".formatted(bits);
  }

  /** Signs take 8 bits for each output and input, which a large matrix does not feel. */
  @Override
  public double bitsPerWeight() {
    return bits;
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
      long eights = cols / E8Lattice.EIGHT;
      Lattice base =
          new Lattice(
              scope.allocate(GROUP + name, DType.I16, rows, eights),
              bits == 4
                  ? Optional.of(scope.allocate(GROUP + name + "_residuals", DType.I16, rows, eights))
                  : Optional.empty(),
              scope.allocate(GROUP + name + "_scales", DType.F32, bits / 2));
      return new Rotated(
          base,
          rotation(kernels, scope, bases, name, "outputs", rows),
          rotation(kernels, scope, bases, name, "inputs", cols));
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
    Lattice lattice = (Lattice) out.base();
    double squares = 0;
    for (float x : w) {
      squares += (double) x * x;
    }
    lattice.putScale(Math.sqrt(squares / w.length));
    new LatticeRounding(lattice).solve(w, factor, damped(rotated), passes);
  }

  private static void draw(Tensor signs, RandomGenerator random) {
    for (int i = 0; i < signs.elements(); i++) {
      signs.setLong(i, random.nextBoolean() ? 1 : -1);
    }
  }

  /** V H V^T. */
  private static Tensor rotated(Rotation inputs, Tensor sum) {
    float[] all = Rotated.bothSides(inputs, sum.toFloats());
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
