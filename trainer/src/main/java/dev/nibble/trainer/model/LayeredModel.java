package dev.nibble.trainer.model;

import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;

/**
 * A decoder whose layers run one at a time over residual streams that the caller keeps. Nothing
 * trains in it.
 */
public interface LayeredModel {

  /** Number of layers L. */
  int layers();

  /** Size C of the residual stream. */
  int hidden();

  /**
   * The input of the first layer.
   *
   * @param out [N, C] of the kernels' activations, on the host or in the kernels' memory
   */
  void embed(Batch batch, Tensor out);

  /**
   * One layer.
   *
   * @param index from 0
   * @param out [N, C], as for {@link #embed}; may be {@code x}
   * @param x [N, C]: what the layer before gave for this batch
   */
  void layer(int index, Batch batch, Tensor out, Tensor x);
}
