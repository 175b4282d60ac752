package dev.nibble.compute.kernels.cuda;

import dev.nibble.compute.kernels.AttentionKernels;
import dev.nibble.compute.kernels.KernelProfile;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.LossKernels;
import dev.nibble.compute.kernels.MovingKernels;
import dev.nibble.compute.kernels.NormKernels;
import dev.nibble.compute.kernels.OptimizerKernels;
import dev.nibble.compute.kernels.Pager;
import dev.nibble.compute.kernels.Paging;
import dev.nibble.compute.kernels.PointwiseKernels;
import dev.nibble.compute.kernels.ProductKernels;
import dev.nibble.compute.kernels.cuda.attention.CudaAttentionKernels;
import dev.nibble.compute.kernels.cuda.cublas.Cublas;
import dev.nibble.compute.kernels.cuda.loss.CudaLossKernels;
import dev.nibble.compute.kernels.cuda.moving.CudaMovingKernels;
import dev.nibble.compute.kernels.cuda.norms.CudaNormKernels;
import dev.nibble.compute.kernels.cuda.optimizers.CudaOptimizerKernels;
import dev.nibble.compute.kernels.cuda.pointwise.CudaPointwiseKernels;
import dev.nibble.compute.kernels.cuda.products.CublasProducts;
import dev.nibble.compute.kernels.cuda.products.CudaProductKernels;
import dev.nibble.compute.kernels.cuda.products.OwnProducts;
import dev.nibble.compute.kernels.cuda.products.Products;
import dev.nibble.compute.kernels.cuda.products.WeightProducts;
import dev.nibble.compute.kernels.cuda.work.Gpu;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The kernel set {@code cuda}: its device, its scratch, and its themes. One caller at a time. */
final class CudaKernels implements Kernels {
  private final DType activations;
  private final Gpu gpu;
  private final Scope scratch;
  private final CudaMovingKernels moving;
  private final CudaNormKernels norms;
  private final CudaAttentionKernels attention;
  private final CudaProductKernels products;
  private final CudaPointwiseKernels pointwise;
  private final CudaLossKernels loss;
  private final CudaOptimizerKernels optimizers;

  private final String describeProducts;
  private @Nullable Products multiplier;

  /**
   * Takes over the device: closing this set closes it.
   *
   * @param cublas cuBLAS; empty for the set's own matrix products
   */
  CudaKernels(Gpu gpu, DType activations, Optional<Cublas> cublas) {
    this(gpu, activations, cublas, WeightProducts.TILE_BYTES);
  }

  /**
   * Takes over the device: closing this set closes it.
   *
   * @param cublas who multiplies; empty for the set's own kernels
   * @param tileBytes scratch for weights that are converted to another dtype
   */
  CudaKernels(Gpu gpu, DType activations, Optional<Cublas> cublas, long tileBytes) {
    this.activations = activations;
    this.gpu = gpu;
    Launch launch = gpu.launch();
    scratch = Scope.open("scratch", gpu.memory());
    try {
      moving = new CudaMovingKernels(launch, scratch);
      norms = new CudaNormKernels(launch);
      attention = new CudaAttentionKernels(launch, scratch);
      Products multiplies =
          cublas.isPresent()
              ? new CublasProducts(launch, cublas.get(), scratch)
              : new OwnProducts(launch, scratch);
      multiplier = multiplies;
      describeProducts = multiplies.describe();
      products = new CudaProductKernels(launch, moving, multiplies, scratch, tileBytes);
      pointwise = new CudaPointwiseKernels(launch);
      loss = new CudaLossKernels(launch);
      optimizers = new CudaOptimizerKernels(launch, scratch);
    } catch (RuntimeException | OutOfMemoryError e) {
      close();
      throw e;
    }
  }

  /** The implementation of matrix products, for the log. */
  String describeProducts() {
    return describeProducts;
  }

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public Memory memory() {
    return gpu.memory();
  }

  @Override
  public DType activations() {
    return activations;
  }

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
  public Optional<KernelProfile> profile() {
    return gpu.profile();
  }

  @Override
  public Pager pager(Scope scope, long[] pageBytes, Paging paging) {
    return gpu.pager(scope, pageBytes, paging);
  }

  @Override
  public void close() {
    try (gpu;
        scratch) {
      if (multiplier != null) {
        multiplier.close();
      }
    }
  }
}
