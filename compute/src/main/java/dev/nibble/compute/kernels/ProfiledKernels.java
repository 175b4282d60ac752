package dev.nibble.compute.kernels;

import dev.nibble.compute.kernels.KernelTimes.KernelTime;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import java.util.Optional;

/** A set on the host whose operations are timed one by one, as they return when they are done. */
public final class ProfiledKernels extends InterceptedKernels {
  private final Clock clock = new Clock();

  private ProfiledKernels(Kernels real) {
    super(real);
  }

  /**
   * A set with a profile where the options ask for one, else the set; closing it closes the set.
   */
  public static Kernels where(KernelOptions options, Kernels kernels) {
    return options.debug() == KernelOptions.Debug.PROFILE ? new ProfiledKernels(kernels) : kernels;
  }

  @Override
  protected void call(Operation operation, Object[] args) {
    clock.time(operation, args);
  }

  @Override
  public Optional<KernelProfile> profile() {
    return Optional.of(clock);
  }

  /** A clock of the operations. */
  private static final class Clock implements KernelProfile {
    private final KernelTimes.Sum sum = new KernelTimes.Sum();
    private boolean on;
    private long idleSince;

    @Override
    public void start() {
      sum.take();
      on = true;
      idleSince = System.nanoTime();
    }

    @Override
    public KernelTimes stop() {
      on = false;
      return sum.take();
    }

    private void time(Operation operation, Object[] args) {
      long start = System.nanoTime();
      operation.run(args);
      if (on) {
        long end = System.nanoTime();
        sum.addGap((start - idleSince) / 1e9);
        add(operation.name(), (end - start) / 1e9, args);
        idleSince = System.nanoTime();
      }
    }

    private void add(String operation, double seconds, Object[] args) {
      Shape shape = shape(operation, args);
      double operations = shape.isProduct() ? shape.operations() : attention(operation, args);
      String name = shape.isProduct() ? operation + shape : operation;
      sum.add(new KernelTime(name, 1, seconds, bytes(args), operations));
    }

    private static double bytes(Object[] args) {
      double bytes = 0;
      for (Object arg : args) {
        bytes +=
            switch (arg) {
              case Tensor t -> t.bytes();
              case FrozenMatrix m -> m.bytes();
              default -> 0;
            };
      }
      return bytes;
    }

    /** The sizes of a linear map's call; zeros for other operations. */
    private static Shape shape(String operation, Object[] args) {
      return switch (operation) {
        case "linearForward", "linearForwardAdd", "frozenForward" -> Shape.of(args[0], args[2]);
        case "linearBackward", "frozenBackward" -> Shape.of(args[1], args[2]);
        case "linearBackwardWeight" -> Shape.of(args[1], args[0]);
        default -> new Shape(0, 0, 0);
      };
    }

    private static double attention(String operation, Object[] args) {
      return switch (operation) {
        case "attentionForward" -> attention(args, 2, 2);
        case "attentionBackward" -> attention(args, 6, 5);
        default -> 0;
      };
    }

    private static double attention(Object[] args, int q, int products) {
      return MatrixOperations.ofAttention(
          (Tensor) args[q],
          (Tensor) args[q + 1],
          (Tensor) args[q + 3],
          (AttentionRule) args[q + 4],
          products);
    }
  }

  /** N tokens of a linear map from I to O features. */
  private record Shape(long n, long outputs, long inputs) {

    /** Of rows of its outputs or their gradient, and its weight. */
    static Shape of(Object out, Object weight) {
      long rows = weight instanceof FrozenMatrix m ? m.rows() : ((Tensor) weight).rows();
      long cols = weight instanceof FrozenMatrix m ? m.cols() : ((Tensor) weight).cols();
      return new Shape(((Tensor) out).elements() / Math.max(1, rows), rows, cols);
    }

    double operations() {
      return MatrixOperations.ofProduct((double) n, (double) outputs, (double) inputs);
    }

    boolean isProduct() {
      return n > 0;
    }

    @Override
    public String toString() {
      return " [N, %d, %d]".formatted(outputs, inputs);
    }
  }
}
