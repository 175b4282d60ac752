package dev.nibble.trainer.calibration;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.adapters.FrozenProjection;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import java.util.Optional;

/** A linear map whose inputs can be watched, and whose weight can be exchanged. */
final class WatchedProjection implements Projection {
  private final String weight;
  private final FrozenProjection dense;
  private FrozenProjection current;
  private Optional<InputMoments> watching = Optional.empty();

  WatchedProjection(String weight, FrozenProjection dense) {
    this.weight = weight;
    this.dense = dense;
    this.current = dense;
  }

  /** The name of its weight. */
  String weight() {
    return weight;
  }

  void watch(InputMoments moments) {
    watching = Optional.of(moments);
  }

  /** Multiplies by another matrix from now on, and is watched no longer. */
  void exchange(FrozenMatrix other) {
    dense.products().reserve(other);
    current = new FrozenProjection(other, dense.bias(), dense.products());
    watching = Optional.empty();
  }

  /** Multiplies by its own matrix again, and is watched no longer. */
  void restore() {
    current = dense;
    watching = Optional.empty();
  }

  @Override
  public void forward(Kernels kernels, Tensor out, Tensor x, ForwardMode mode) {
    watching.ifPresent(moments -> moments.saw(weight, x));
    current.forward(kernels, out, x, mode);
  }

  @Override
  public void backward(Kernels kernels, Tensor dx, Tensor dout, Tensor x, ForwardMode mode) {
    current.backward(kernels, dx, dout, x, mode);
  }

  @Override
  public void backwardParameters(Kernels kernels, Tensor dout, Tensor x, ForwardMode mode) {
    current.backwardParameters(kernels, dout, x, mode);
  }
}
