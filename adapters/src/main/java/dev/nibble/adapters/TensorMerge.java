package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;

/**
 * The change of one tensor of a checkpoint when an adapter is merged.
 *
 * @param tensor its name
 * @param shape the shape that the adapter asks for, where it asks for one as a whole
 * @param optional whether nothing is missing when the checkpoint has no such tensor
 */
public record TensorMerge(String tensor, Optional<Shape> shape, boolean optional, Change change) {

  /** A change in place. */
  @FunctionalInterface
  public interface Change {
    /**
     * Changes a tensor.
     *
     * @param weight F32, in the kernels' memory, with the base's values
     * @param scratch for tensors that the change needs meanwhile
     * @throws AdapterException when the adapter was made for a tensor of another shape
     */
    void apply(Tensor weight, Kernels kernels, Scope scratch);
  }

  /** A change of a tensor of this shape. */
  TensorMerge(String tensor, Shape shape, Change change) {
    this(tensor, Optional.of(shape), false, change);
  }

  /** A change of a tensor whose shape the change itself checks. */
  TensorMerge(String tensor, Change change) {
    this(tensor, Optional.empty(), false, change);
  }

  /** The same, of a tensor that a checkpoint need not have. */
  static TensorMerge ifPresent(String tensor, Change change) {
    return new TensorMerge(tensor, Optional.empty(), true, change);
  }

  /** Checks the size of one dimension. */
  static void require(String tensor, Tensor weight, int dim, long size) {
    if (weight.dim(dim) != size) {
      throw new AdapterException(
          "%s is %s in the base model, but the adapter was made for %d %s"
              .formatted(tensor, weight.shape(), size, dim == 0 ? "rows" : "columns"));
    }
  }
}
