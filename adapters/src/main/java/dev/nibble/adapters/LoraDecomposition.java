package dev.nibble.adapters;

import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.kernels.HostAndDevice;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.linalg.QrFactors;
import dev.nibble.quant.linalg.SvdFactors;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * Initial values that are taken out of a weight W [O, I]: A and B such that W is s B A and the
 * weight that stays frozen. All arithmetic starts from the full-precision W.
 *
 * @param start one that changes the base
 * @param update A and B, which are filled
 * @param seed of randomised decompositions
 */
record LoraDecomposition(LoraStart start, LowRankUpdate update, long seed, Kernels kernels) {

  /** Reads W, fills A and B, and keeps the rest. */
  FrozenMatrix load(FrozenWeights weights, String name) {
    return kernels.memory().isPlanned()
        ? weights.load(name)
        : weights.load(name, (w, rounding) -> split(name, w, rounding));
  }

  private void split(String name, Tensor w, Consumer<Tensor> rounding) {
    Tensor a = update.a().weight();
    Tensor b = update.b().weight();
    if (a.rows() > Math.min(w.rows(), w.cols())) {
      throw new AdapterException(
          "init_lora_weights %s: rank %d is more than %s %s has"
              .formatted(start.written(), a.rows(), name, w.shape()));
    }
    switch (start) {
      case LoraStart.Pissa(OptionalInt iterations) -> {
        SvdFactors.of(b, a, w, iterations, seed(name), kernels);
        shareScale(a, b);
        kernels.products().linearBackward(w, b, a, -update.scale());
      }
      case LoraStart.Olora olora -> {
        QrFactors.of(b, a, w, kernels);
        kernels.products().linearBackward(w, b, a, -update.scale());
      }
      case LoraStart.Loftq(int iterations) -> loftq(name, w, rounding, iterations);
      default -> throw new IllegalStateException(start + " does not change the base");
    }
  }

  private long seed(String name) {
    return Dropout.hash(seed) + name.hashCode();
  }

  /** So that s B A is what B A was. */
  private void shareScale(Tensor a, Tensor b) {
    double root = 1 / Math.sqrt(update.scale());
    kernels.pointwise().scale(a, root);
    kernels.pointwise().scale(b, root);
  }

  /**
   * In turn: q = what rounding leaves of W - s B A, and s B A = the best approximation of W - q.
   * Iterations do not always get closer, so the closest is kept. PEFT leaves s out, which is the
   * same where alpha = r.
   */
  private void loftq(String name, Tensor w, Consumer<Tensor> rounding, int iterations) {
    try (Scope scope = Scope.open("loftq", kernels.memory())) {
      Tensor a = update.a().weight();
      Tensor b = update.b().weight();
      Tensor rest = like(scope, w); // W - s B A, what is rounded
      Tensor best = like(scope, w);
      Tensor lost = like(scope, w); // W - q
      Tensor bestA = like(scope, a);
      Tensor bestB = like(scope, b);
      HostAndDevice square = HostAndDevice.allocate(scope, "square", DType.F64, 1);
      double smallest = Double.POSITIVE_INFINITY;
      kernels.moving().copy(rest, w);
      for (int i = 0; i < iterations; i++) {
        kernels.moving().copy(lost, rest);
        rounding.accept(lost);
        kernels.pointwise().scale(lost, -1);
        kernels.pointwise().add(lost, lost, w);
        kernels.moving().fill(square.tensor(), 0);
        kernels.optimizers().sumOfSquares(square.tensor(), lost);
        double captured = SvdFactors.of(b, a, lost, OptionalInt.empty(), seed(name), kernels);
        shareScale(a, b);
        double error = square.toHost(kernels).getDouble(0) - captured;
        if (error < smallest) {
          smallest = error;
          kernels.moving().copy(best, rest);
          kernels.moving().copy(bestA, a);
          kernels.moving().copy(bestB, b);
        }
        kernels.moving().copy(rest, w);
        kernels.products().linearBackward(rest, b, a, -update.scale());
      }
      kernels.moving().copy(w, best);
      kernels.moving().copy(a, bestA);
      kernels.moving().copy(b, bestB);
    }
  }

  private static Tensor like(Scope scope, Tensor t) {
    return scope.allocate(t.name(), DType.F32, t.shape().dims());
  }
}
