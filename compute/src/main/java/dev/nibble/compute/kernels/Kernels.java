package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import java.util.Optional;

/**
 * A kernel set: every operation that training and generation need, by theme, as forward/backward
 * pairs over memory that the caller owns.
 *
 * <p>Conventions. Outputs come first, then what forward saved, inputs, parameters, scalars. Forward
 * overwrites its outputs; backward <em>accumulates</em> into gradients, except where a method says
 * otherwise. Inputs are not changed. The same call on the same inputs gives the same bits. An
 * output may not overlap an input, except where a method allows it. No method allocates tensors; a
 * set's scratch is taken when the set is opened.
 *
 * <p>Dtypes. What trains, its gradients, statistics (mean, rstd, lse, loss) and small tables (norm
 * weights, cos, sin) are F32. Activations and their gradients are F32; a set whose {@link
 * #activations()} are BF16 takes them in BF16 too, all of one call alike. Frozen dense weights, and
 * tables that rows are gathered from, may be F32, BF16 or F16; their values are widened exactly.
 * Products and sums are taken in float32 or better, and a BF16 result is rounded once. With BF16
 * activations, weights are rounded to BF16 before they are multiplied; so may be attention's
 * probabilities and their gradients.
 *
 * <p>Indices (tokens, rows, targets) outside their table are the caller's error. Where Java can
 * read them it is an {@link IndexOutOfBoundsException}; on an accelerator the result is NaN, and
 * nothing outside the table is touched.
 *
 * <p>Letters: B batch, T tokens, N = all tokens of a batch in one row, C hidden, H heads, K
 * key/value heads, D head size, F feed-forward size, V vocabulary, r rank, I inputs and O outputs
 * of a linear map, S segments.
 *
 * <p>Sequences are packed: N tokens of S segments lie one after another, with no padding. {@code
 * segments} is I32 [S, 4], a row {@code (qStart, qLength, kStart, kLength)} for each: its queries
 * are rows qStart.. of q, its keys rows kStart.. of k and v. Query i of a segment sees its keys 0
 * to {@code i + kLength - qLength}; nothing is seen across segments. When training, queries and
 * keys coincide; when generating, keys lie in a cache.
 *
 * <p>A set implements every operation of every theme. None falls back to another set. A theme lives
 * as long as its set; asking for it costs nothing.
 */
public interface Kernels extends AutoCloseable {

  /** The set's name, as recipes write it: {@code nd4j}, {@code cpu} or {@code cuda}. */
  String name();

  /** Where tensors for this set must be allocated. */
  Memory memory();

  /** The dtype of activations and their gradients: F32 or BF16. */
  DType activations();

  /** Filling, copying and gathering. */
  MovingKernels moving();

  /** RMSNorm, LayerNorm, rotary position embedding, DoRA's row norms. */
  NormKernels norms();

  /** Causal attention within segments. */
  AttentionKernels attention();

  /** Linear maps, with dense and with frozen weights. */
  ProductKernels products();

  /** Operations on each element or column. */
  PointwiseKernels pointwise();

  /** Cross-entropy. */
  LossKernels loss();

  /** Optimizer steps. */
  OptimizerKernels optimizers();

  /**
   * Memory that is used one page at a time and may be larger than this set's device.
   *
   * @param scope owner of the pages that stay in this set's memory
   * @param pageBytes size of each page
   */
  Pager pager(Scope scope, long[] pageBytes, Paging paging);

  /** Times of this set's kernels, where it was opened with {@link KernelOptions.Debug#PROFILE}. */
  default Optional<KernelProfile> profile() {
    return Optional.empty();
  }

  /** Frees scratch memory and threads. Callers' tensors are untouched. */
  @Override
  void close();
}
