package dev.nibble.compute.kernels.cpu;

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
import dev.nibble.compute.kernels.cpu.attention.CpuAttentionKernels;
import dev.nibble.compute.kernels.cpu.loss.CpuLossKernels;
import dev.nibble.compute.kernels.cpu.moving.CpuMovingKernels;
import dev.nibble.compute.kernels.cpu.norms.CpuNormKernels;
import dev.nibble.compute.kernels.cpu.onednn.MatMuls;
import dev.nibble.compute.kernels.cpu.onednn.OneDnn;
import dev.nibble.compute.kernels.cpu.optimizers.CpuOptimizerKernels;
import dev.nibble.compute.kernels.cpu.pointwise.CpuPointwiseKernels;
import dev.nibble.compute.kernels.cpu.products.CpuProductKernels;
import dev.nibble.compute.kernels.cpu.products.Gemm;
import dev.nibble.compute.kernels.cpu.work.ColumnSums;
import dev.nibble.compute.kernels.cpu.work.ParallelLoops;
import dev.nibble.compute.kernels.cpu.work.WorkerScratch;
import dev.nibble.compute.kernels.cpu.work.Workers;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import java.util.Optional;

/** The kernel set {@code cpu}: its threads, its scratch, and its themes. One caller at a time. */
final class CpuKernels implements Kernels {
  private final Memory memory = Memory.host();
  private final DType activations;
  private final Workers workers;
  private final WorkerScratch scratch;
  private final Optional<MatMuls> matMuls;
  private final CpuMovingKernels moving;
  private final CpuNormKernels norms;
  private final CpuAttentionKernels attention;
  private final CpuProductKernels products;
  private final CpuPointwiseKernels pointwise;
  private final CpuLossKernels loss;
  private final CpuOptimizerKernels optimizers;

  /** A set for activations in F32 or BF16. */
  CpuKernels(OneDnn onednn, int threads, DType activations) {
    this.activations = activations;
    workers = new Workers(threads);
    scratch = new WorkerScratch(threads);
    matMuls =
        activations == DType.BF16 ? Optional.of(new MatMuls(onednn, threads)) : Optional.empty();
    ParallelLoops loops = new ParallelLoops(workers, scratch);
    ColumnSums sums = new ColumnSums(loops);
    Gemm gemm = new Gemm(onednn, workers);
    moving = new CpuMovingKernels(workers, loops);
    norms = new CpuNormKernels(workers, loops, sums);
    attention = new CpuAttentionKernels(gemm, matMuls, loops);
    products = new CpuProductKernels(moving, gemm, matMuls, workers, scratch, loops, sums);
    pointwise = new CpuPointwiseKernels(loops, sums);
    loss = new CpuLossKernels(loops);
    optimizers = new CpuOptimizerKernels(workers, loops);
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public Memory memory() {
    return memory;
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
  public Pager pager(Scope scope, long[] pageBytes, Paging paging) {
    return Pager.onHost(scope, pageBytes, paging);
  }

  @Override
  public void close() {
    workers.close();
    matMuls.ifPresent(MatMuls::close);
    scratch.close();
  }
}
