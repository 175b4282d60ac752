package dev.nibble.api.comparing;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.CheckpointLayout;
import dev.nibble.quant.WeightFormat;

/** A format that measures how long encoding takes, and by how much values change. */
final class MeasuredFormat implements WeightFormat {
  /** For so long the first matrix is encoded again and again, untimed, while Java compiles. */
  private static final double WARM_UP_SECONDS = 0.5;

  private final WeightFormat format;
  private final WeightError error;
  private boolean warm;
  private double seconds;

  /** A format whose errors are added to {@code error}. */
  MeasuredFormat(WeightFormat format, WeightError error) {
    this.format = format;
    this.error = error;
  }

  /** Seconds of encoding so far. */
  double seconds() {
    return seconds;
  }

  @Override
  public void encode(Kernels kernels, FrozenMatrix out, Tensor in) {
    if (kernels.memory().isPlanned()) {
      format.encode(kernels, out, in);
      return;
    }
    try (HostCopies host = new HostCopies(kernels)) {
      for (double spent = 0; !warm && spent < WARM_UP_SECONDS; ) {
        spent += timed(kernels, out, in, host);
      }
      warm = true;
      seconds += timed(kernels, out, in, host);
    }
    error.add(kernels, in, out);
  }

  private double timed(Kernels kernels, FrozenMatrix out, Tensor in, HostCopies host) {
    Tensor last = in.part(in.elements() - 1, 1);
    host.of(last); // what was asked of a device before is not counted
    long start = System.nanoTime();
    format.encode(kernels, out, in);
    host.of(last); // waits for a device
    return (System.nanoTime() - start) / 1e9;
  }

  @Override
  public String name() {
    return format.name();
  }

  @Override
  public String describe() {
    return format.describe();
  }

  @Override
  public double bitsPerWeight() {
    return format.bitsPerWeight();
  }

  @Override
  public Allocator allocator(Kernels kernels, Scope scope) {
    return format.allocator(kernels, scope);
  }

  @Override
  public CheckpointLayout layout() {
    return format.layout();
  }
}
