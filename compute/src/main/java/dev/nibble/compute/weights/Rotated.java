package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * A frozen matrix that is held in another basis on both sides: W = U^T B V, with U and V the {@link
 * Rotation}s of outputs and inputs (QuIP#, arXiv:2402.04396). A product rotates activations, and
 * never the weights: x W^T = ((x V^T) B^T) U.
 *
 * @param base B, of any form that is held as it is
 * @param outputs U
 * @param inputs V
 */
public record Rotated(FrozenMatrix base, Rotation outputs, Rotation inputs)
    implements FrozenMatrix {

  /** Checks that the parts fit each other. */
  public Rotated {
    if (base instanceof Rotated
        || outputs.size() != base.rows()
        || inputs.size() != base.cols()) {
      throw new IllegalArgumentException(
          "%s: expected rotations of %d outputs and %d inputs, got %s and %s"
              .formatted(base, base.rows(), base.cols(), outputs.signs(), inputs.signs()));
    }
  }

  @Override
  public long rows() {
    return base.rows();
  }

  @Override
  public long cols() {
    return base.cols();
  }

  /** Hadamard matrices are shared, and not counted. */
  @Override
  public long bytes() {
    return base.bytes() + outputs.signs().bytes() + inputs.signs().bytes();
  }

  @Override
  public Rotated over(UnaryOperator<Tensor> other) {
    return new Rotated(base.over(other), outputs.over(other), inputs.over(other));
  }

  /** Decodes the whole base, whatever part is asked for. */
  @Override
  public void decode(long from, long n, MemorySegment to) {
    int rows = Math.toIntExact(rows());
    int cols = Math.toIntExact(cols());
    float[] all = new float[Math.multiplyExact(rows, cols)];
    base.decode(0, all.length, MemorySegment.ofArray(all));
    rows(all, cols, row -> inputs.undo(all, row * cols));
    columns(all, cols, outputs::undo);
    MemorySegment.copy(
        MemorySegment.ofArray(all), from * Float.BYTES, to, 0, n * Float.BYTES);
  }

  /** Rotates the elements in float32, and has the base encode them. */
  @Override
  public void encode(Tensor in) {
    float[] all = rotated(in);
    base.encode(
        Tensor.onHost(in.name(), DType.F32, in.shape(), MemorySegment.ofArray(all)));
  }

  /** U W V^T of a matrix on the host, by rows. */
  public float[] rotated(Tensor in) {
    float[] all = new float[Math.toIntExact(in.elements())];
    in.getFloats(0, all);
    int cols = Math.toIntExact(cols());
    rows(all, cols, row -> inputs.apply(all, row * cols));
    columns(all, cols, outputs::apply);
    return all;
  }

  /** V H V^T of a matrix [n, n] by rows, which it changes. */
  public static float[] bothSides(Rotation v, float[] h) {
    int n = Math.toIntExact(v.size());
    rows(h, n, row -> v.apply(h, row * n));
    columns(h, n, v::apply);
    return h;
  }

  private interface Change {
    void of(float[] x, int at);
  }

  private static void rows(float[] all, int cols, IntConsumer change) {
    IntStream.range(0, all.length / cols).parallel().forEach(change);
  }

  private static void columns(float[] all, int cols, Change change) {
    int rows = all.length / cols;
    IntStream.range(0, cols)
        .parallel()
        .forEach(c -> {
          float[] column = new float[rows];
          for (int r = 0; r < rows; r++) {
            column[r] = all[r * cols + c];
          }
          change.of(column, 0);
          for (int r = 0; r < rows; r++) {
            all[r * cols + c] = column[r];
          }
        });
  }

  /** For example {@code q_proj.weight [64, 64] in points of E8, 2 bits, rotated}. */
  @Override
  public String toString() {
    return base + ", rotated";
  }
}
