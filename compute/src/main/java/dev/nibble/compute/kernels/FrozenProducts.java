package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.LowRank;
import dev.nibble.compute.weights.Rotated;
import dev.nibble.compute.weights.TiledMatrix;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Products of activations with frozen matrices of every form, those that are made of others too,
 * and the scratch that these need: one set of it for all maps of a model, of which one runs at a
 * time.
 *
 * <p>With W = U^T (B + L R) V, forward is x W^T = (y B^T + (y R^T) L^T) U for y = x V^T, and
 * backward dx = (e B + (e L) R) V for e = dout U^T: in both directions a rotation of each side.
 */
public final class FrozenProducts {
  private static final String GROUP = "scratch/";

  private final Buffers owner;
  private final long maxTokens;
  private final Map<Buffer, Tensor> buffers = new HashMap<>();

  /** What a tensor is for: those of one use, dtype and width are shared. */
  private record Buffer(String use, DType dtype, long width) {}

  /**
   * Products of batches of up to so many tokens.
   *
   * @param buffers own the scratch
   */
  public FrozenProducts(Buffers buffers, long maxTokens) {
    this.owner = buffers;
    this.maxTokens = maxTokens;
  }

  /** Takes the scratch for products of activations with a matrix. */
  public void reserve(FrozenMatrix matrix) {
    reserve(matrix, owner.activations(), maxTokens);
  }

  /** Takes the scratch for products of up to {@code rows} rows of a dtype with a matrix. */
  public void reserve(FrozenMatrix matrix, DType dtype, long rows) {
    if (matrix instanceof Rotated rotated) {
      reserve(new Buffer("rotated_inputs", dtype, rotated.cols()), rows);
      reserve(new Buffer("rotated_outputs", dtype, rotated.rows()), rows);
      rotated
          .lowRank()
          .ifPresent(factors -> reserve(new Buffer("low_rank", dtype, factors.rank()), rows));
    }
  }

  private void reserve(Buffer buffer, long rows) {
    long elements = Math.multiplyExact(rows, buffer.width());
    Tensor there = buffers.get(buffer);
    if (there == null || there.elements() < elements) {
      buffers.put(buffer, owner.scope().allocate(GROUP + buffer.use(), buffer.dtype(), elements));
    }
  }

  private Tensor buffer(String use, DType dtype, long rows, long width) {
    Tensor buffer = buffers.get(new Buffer(use, dtype, width));
    if (buffer == null || buffer.elements() < rows * width) {
      throw new IllegalStateException(
          "no scratch is reserved for %s %s[%d, %d]".formatted(use, dtype, rows, width));
    }
    return buffer.prefix(rows, width);
  }

  /**
   * out = x weight^T.
   *
   * @param out [N, O]
   * @param x [N, I]
   */
  public void forward(Kernels kernels, Tensor out, Tensor x, FrozenMatrix weight) {
    ProductKernels products = kernels.products();
    switch (weight) {
      case TiledMatrix matrix -> products.frozenForward(out, x, matrix);
      case Rotated(var base, var factors, var outputs, var inputs) -> {
        Tensor y = buffer("rotated_inputs", x.dtype(), x.rows(), base.cols());
        products.rotate(y, x, inputs);
        products.frozenForward(out, y, base);
        addLowRank(kernels, out, y, factors);
        products.rotateBack(out, out, outputs);
      }
    }
  }

  /** dx += dout weight. There is no gradient of the weight. */
  public void backward(Kernels kernels, Tensor dx, Tensor dout, FrozenMatrix weight) {
    ProductKernels products = kernels.products();
    switch (weight) {
      case TiledMatrix matrix -> products.frozenBackward(dx, dout, matrix);
      case Rotated(var base, var factors, var outputs, var inputs) -> {
        Tensor e = buffer("rotated_outputs", dout.dtype(), dout.rows(), base.rows());
        Tensor dy = buffer("rotated_inputs", dx.dtype(), dx.rows(), base.cols());
        products.rotate(e, dout, outputs);
        kernels.moving().fill(dy, 0);
        products.frozenBackward(dy, e, base);
        addLowRank(kernels, dy, e, factors.map(f -> new LowRank(f.right(), f.left())));
        products.rotateBack(dy, dy, inputs);
        kernels.pointwise().add(dx, dx, dy);
      }
    }
  }

  /** out += (x right^T) left, for factors that lie the way of this product. */
  private void addLowRank(Kernels kernels, Tensor out, Tensor x, Optional<LowRank> factors) {
    if (factors.isPresent()) {
      LowRank lowRank = factors.get();
      Tensor low = buffer("low_rank", x.dtype(), x.rows(), lowRank.rank());
      kernels.products().frozenForward(low, x, lowRank.right());
      kernels.products().frozenBackward(out, low, lowRank.left());
    }
  }
}
