package dev.nibble.quant;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;

/**
 * A way to keep frozen matrices in few bits: the form that they take, how values are brought to it,
 * and how a checkpoint stores them. Whoever loads, trains on or exports a model knows a format by
 * this interface alone.
 */
public interface WeightFormat {

  /** A short name, for example {@code nf4}. */
  String name();

  /** A phrase for people, for example {@code NF4, blocks of 64, double quantisation}. */
  String describe();

  /** Bits of a weight, with its share of the scales of a large matrix. */
  double bitsPerWeight();

  /**
   * Prepares to allocate matrices of this format. Tables that they share are allocated now.
   *
   * @param scope owns tables and matrices; must be of the kernels' memory
   */
  Allocator allocator(Kernels kernels, Scope scope);

  /** Allocates matrices of one format in one scope. */
  interface Allocator {

    /**
     * A matrix for {@link #encode} to fill.
     *
     * @param name of its weight, for errors and memory tables
     * @throws UnusableWeight when the format has no matrices of this size
     */
    FrozenMatrix allocate(String name, long rows, long cols);
  }

  /**
   * Brings values to the form of a matrix of this format.
   *
   * @param in F32, BF16 or F16 of as many finite elements, in the kernels' memory, with the name of
   *     the weight
   */
  default void encode(Kernels kernels, FrozenMatrix out, Tensor in) {
    kernels.products().encode(out, in);
  }

  /** How checkpoints store it. */
  CheckpointLayout layout();
}
