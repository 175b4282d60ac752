package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.AttentionKernels;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.LossKernels;
import dev.nibble.compute.kernels.MovingKernels;
import dev.nibble.compute.kernels.NormKernels;
import dev.nibble.compute.kernels.OptimizerKernels;
import dev.nibble.compute.kernels.Pager;
import dev.nibble.compute.kernels.Paging;
import dev.nibble.compute.kernels.PointwiseKernels;
import dev.nibble.compute.kernels.ProductKernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;

/**
 * The kernel set {@code nd4j}: ND4J operations on arrays that view the tensors' memory. Temporaries
 * live as long as a call.
 */
final class Nd4jKernels implements Kernels {
  private final MovingKernels moving = new Nd4jMovingKernels();
  private final NormKernels norms = new Nd4jNormKernels();
  private final AttentionKernels attention = new Nd4jAttentionKernels();
  private final ProductKernels products = new Nd4jProductKernels();
  private final PointwiseKernels pointwise = new Nd4jPointwiseKernels();
  private final LossKernels loss = new Nd4jLossKernels();
  private final OptimizerKernels optimizers = new Nd4jOptimizerKernels();

  @Override
  public String name() {
    return "nd4j";
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
  public void close() {}

  @Override
  public MovingKernels moving() {
    return moving;
  }

  @Override
  public NormKernels norms() {
    return norms;
  }

  @Override
  public AttentionKernels attention() {
    return attention;
  }

  @Override
  public ProductKernels products() {
    return products;
  }

  @Override
  public PointwiseKernels pointwise() {
    return pointwise;
  }

  @Override
  public LossKernels loss() {
    return loss;
  }

  @Override
  public OptimizerKernels optimizers() {
    return optimizers;
  }

  @Override
  public Pager pager(Scope scope, long[] pageBytes, Paging paging) {
    return Pager.onHost(scope, pageBytes, paging);
  }
}
