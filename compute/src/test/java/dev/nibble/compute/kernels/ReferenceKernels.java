package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;

/**
 * The specification of {@link Kernels}: plain loops over host tensors, all arithmetic in float64,
 * one rounding when a result is stored. It also takes F64 tensors, so that a backward can be
 * checked against differences of its forward. Slow on purpose.
 */
class ReferenceKernels implements Kernels {

  @Override
  public String name() {
    return "reference";
  }

  @Override
  public Memory memory() {
    return Memory.host();
  }

  @Override
  public DType activations() {
    return DType.F32;
  }

  @Override
  public MovingKernels moving() {
    return new ReferenceMovingKernels();
  }

  @Override
  public NormKernels norms() {
    return new ReferenceNormKernels();
  }

  @Override
  public AttentionKernels attention() {
    return new ReferenceAttentionKernels();
  }

  @Override
  public ProductKernels products() {
    return new ReferenceProductKernels();
  }

  @Override
  public PointwiseKernels pointwise() {
    return new ReferencePointwiseKernels();
  }

  @Override
  public LossKernels loss() {
    return new ReferenceLossKernels();
  }

  @Override
  public OptimizerKernels optimizers() {
    return new ReferenceOptimizerKernels();
  }

  @Override
  public Pager pager(Scope scope, long[] pageBytes, Paging paging) {
    return Pager.onHost(scope, pageBytes, paging);
  }

  @Override
  public void close() {}
}
