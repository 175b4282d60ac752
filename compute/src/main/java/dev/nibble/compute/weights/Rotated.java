package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * A frozen matrix that is held in another basis on both sides: W = U^T (B + L R) V, with U and V
 * the {@link Rotation}s of outputs and inputs (QuIP#, arXiv:2402.04396), and L R where there is one
 * (CALDERA, arXiv:2405.18886). A product rotates activations, and never the weights: x W^T = ((x
 * V^T) (B + L R)^T) U.
 *
 * @param base B
 * @param lowRank L R
 * @param outputs U
 * @param inputs V
 */
public record Rotated(
    TiledMatrix base, Optional<LowRank> lowRank, Rotation outputs, Rotation inputs)
    implements FrozenMatrix {

  /** Checks that the parts fit each other. */
  public Rotated {
    if (outputs.size() != base.rows() || inputs.size() != base.cols()) {
      throw new IllegalArgumentException(
          "%s: expected rotations of %d outputs and %d inputs, got %s and %s"
              .formatted(base, base.rows(), base.cols(), outputs.signs(), inputs.signs()));
    }
    lowRank.ifPresent(factors -> {
      if (factors.left().cols() != base.rows() || factors.right().cols() != base.cols()) {
        throw new IllegalArgumentException(
            "%s: expected factors of %d outputs and %d inputs, got %s"
                .formatted(base, base.rows(), base.cols(), factors));
      }
    });
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
    long factors = lowRank.isPresent() ? lowRank.get().bytes() : 0;
    return base.bytes() + factors + outputs.signs().bytes() + inputs.signs().bytes();
  }

  @Override
  public Rotated over(UnaryOperator<Tensor> other) {
    return new Rotated(
        base.over(other),
        lowRank.map(factors -> factors.over(other)),
        outputs.over(other),
        inputs.over(other));
  }

  /** Decodes all of the matrix, whatever part is asked for: ask for all. */
  @Override
  public void decode(long from, long n, MemorySegment to) {
    float[] all = base.decoded();
    lowRank.ifPresent(factors -> add(all, factors));
    undo(all);
    MemorySegment.copy(MemorySegment.ofArray(all), from * Float.BYTES, to, 0, n * Float.BYTES);
  }

  private static void add(float[] all, LowRank factors) {
    float[] left = factors.left().decoded();
    float[] right = factors.right().decoded();
    int outputs = Math.toIntExact(factors.left().cols());
    int inputs = Math.toIntExact(factors.right().cols());
    IntStream.range(0, outputs)
        .parallel()
        .forEach(o -> {
          for (int k = 0; k < factors.rank(); k++) {
            add(all, o * inputs, right, k * inputs, left[k * outputs + o], inputs);
          }
        });
  }

  private static void add(float[] to, int at, float[] x, int from, float factor, int n) {
    for (int i = 0; i < n; i++) {
      to[at + i] += factor * x[from + i];
    }
  }

  /** Rotates the elements in float32, and has the base encode them; there must be no L R. */
  @Override
  public void encode(Tensor in) {
    if (lowRank.isPresent()) {
      throw new IllegalArgumentException(this + " is fitted to its inputs, and has no encoding");
    }
    float[] all = rotated(in);
    base.encode(Tensor.onHost(in.name(), DType.F32, in.shape(), MemorySegment.ofArray(all)));
  }

  /** U W V^T of a matrix on the host, by rows. */
  public float[] rotated(Tensor in) {
    float[] all = new float[Math.toIntExact(in.elements())];
    in.getFloats(0, all);
    inputs.rows(all);
    outputs.columns(all);
    return all;
  }

  /** U^T M V of a matrix by rows, which it changes. */
  private void undo(float[] all) {
    inputs.undoRows(all);
    outputs.undoColumns(all);
  }

  /** For example {@code q_proj.weight [64, 64] in points of E8, 2 bits, rotated}. */
  @Override
  public String toString() {
    return lowRank
        .map(factors -> "%s, rotated, and a product of rank %d".formatted(base, factors.rank()))
        .orElse(base + ", rotated");
  }
}
