package dev.nibble.trainer.calibration;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.SecondMoments;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * The second moments of the inputs of a layer's linear maps, summed up over passes. Maps that one
 * pass gives the very same tensor, such as queries, keys and values, share theirs.
 */
final class InputMoments {
  private final Kernels kernels;
  private final Scope scope;
  private final Map<String, Sum> sums = new HashMap<>();
  private final IdentityHashMap<Tensor, Sum> ofPass = new IdentityHashMap<>();

  /** Of the inputs of one width, so far. */
  private static final class Sum {
    private final Tensor sum;
    private long tokens;

    Sum(Tensor sum) {
      this.sum = sum;
    }
  }

  /** {@code scope} owns the sums; must be of the kernels' memory. */
  InputMoments(Kernels kernels, Scope scope) {
    this.kernels = kernels;
    this.scope = scope;
  }

  /** A pass over the next batch begins. */
  void nextPass() {
    ofPass.clear();
  }

  /** A map of this weight is about to multiply x [N, I]. */
  void saw(String weight, Tensor x) {
    Sum seen = ofPass.get(x);
    if (seen != null) {
      sums.putIfAbsent(weight, seen);
      return;
    }
    Sum sum = sums.computeIfAbsent(weight, w -> new Sum(zeros(w, x.cols())));
    kernels.products().linearBackwardWeight(sum.sum, x, x, 1);
    sum.tokens += x.rows();
    ofPass.put(x, sum);
  }

  private Tensor zeros(String weight, long inputs) {
    Tensor zeros = scope.allocate("calibration/" + weight, DType.F32, inputs, inputs);
    kernels.moving().fill(zeros, 0);
    return zeros;
  }

  /** The moments of the inputs of a weight that was seen. */
  SecondMoments of(String weight, HostCopies host) {
    Sum sum = sums.get(weight);
    if (sum == null) {
      throw new IllegalArgumentException(weight + " multiplied nothing");
    }
    return new SecondMoments(host.of(sum.sum), sum.tokens);
  }
}
