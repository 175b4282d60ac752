package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.MovingKernels;
import dev.nibble.compute.kernels.ProductKernels;
import dev.nibble.compute.kernels.cpu.onednn.MatMuls;
import dev.nibble.compute.kernels.cpu.work.ColumnSums;
import dev.nibble.compute.kernels.cpu.work.Conversion;
import dev.nibble.compute.kernels.cpu.work.ParallelLoops;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.kernels.cpu.work.WorkerScratch;
import dev.nibble.compute.kernels.cpu.work.Workers;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Rotated;
import dev.nibble.compute.weights.Rotation;
import dev.nibble.compute.weights.TiledMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Linear maps by the dtype of activations, their biases, and frozen matrices. */
public final class CpuProductKernels implements ProductKernels {
  private static final long DECODE_GRAIN = 1 << 15;

  /** Weights decoded at once on the way to a 16-bit dtype. */
  private static final long DECODED = 1 << 14;

  private final MovingKernels moving;
  private final Workers workers;
  private final WorkerScratch scratch;
  private final ParallelLoops loops;
  private final ColumnSums sums;
  private final F32Linear f32;
  private final Optional<Bf16Linear> bf16;
  private final FourBitEncoder encoder;

  /**
   * Linear maps of F32, and of BF16 where the processor multiplies it.
   *
   * @param moving copies dense matrices
   * @param matMuls products of BF16; empty where the set takes no such activations
   */
  public CpuProductKernels(
      MovingKernels moving,
      Gemm gemm,
      Optional<MatMuls> matMuls,
      Workers workers,
      WorkerScratch scratch,
      ParallelLoops loops,
      ColumnSums sums) {
    this.moving = moving;
    this.workers = workers;
    this.scratch = scratch;
    this.loops = loops;
    this.sums = sums;
    f32 = new F32Linear(gemm, workers, scratch);
    bf16 = matMuls.map(m -> new Bf16Linear(new Bf16Products(m, workers, scratch)));
    encoder = new FourBitEncoder(workers, scratch);
  }

  private Bf16Linear bf16() {
    return bf16.orElseThrow(
        () -> new KernelUnavailable("kernel set cpu was opened for activations in float32"));
  }

  @Override
  public void linearForward(Tensor out, Tensor x, Tensor weight) {
    forward(out, x, new Dense(weight), 1, false);
  }

  @Override
  public void linearForwardAdd(Tensor out, Tensor x, Tensor weight, double scale) {
    forward(out, x, new Dense(weight), (float) scale, true);
  }

  /** out = alpha x weight^T, or += of it. */
  private void forward(Tensor out, Tensor x, TiledMatrix weight, float alpha, boolean add) {
    if (x.dtype() == DType.BF16) {
      bf16().forward(out, x, weight, alpha, add);
    } else {
      f32.forward(out, x, weight, alpha, add ? 1 : 0);
    }
  }

  @Override
  public void linearBackward(Tensor dx, Tensor dout, Tensor weight, double scale) {
    backward(dx, dout, new Dense(weight), (float) scale);
  }

  /** dx += scale dout weight. */
  private void backward(Tensor dx, Tensor dout, TiledMatrix weight, float scale) {
    if (dout.dtype() == DType.BF16) {
      bf16().backward(dx, dout, weight, scale);
    } else {
      f32.backward(dx, dout, weight, scale);
    }
  }

  @Override
  public void linearBackwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale) {
    if (dout.dtype() == DType.BF16) {
      bf16().backwardWeight(dweight, dout, x, (float) scale);
    } else {
      f32.backwardWeight(dweight, dout, x, (float) scale);
    }
  }

  // ---- bias ----

  @Override
  public void biasForward(Tensor out, Tensor bias) {
    long cols = bias.elements();
    loops.rows(
        ParallelLoops.rowsOf(out, cols),
        cols,
        (f, n) -> {
          MemorySegment y = f.read(out, n * cols, cols);
          VectorMath.add(y, f.read(bias, 0, cols), cols);
          f.store(y, out, n * cols);
        });
  }

  @Override
  public void biasBackward(Tensor dbias, Tensor dout) {
    long cols = dbias.elements();
    sums.sum(
        dbias,
        ParallelLoops.rowsOf(dout, cols),
        (sum, f, row, column, n) -> VectorMath.add(sum, f.read(dout, row * cols + column, n), n));
  }

  // ---- frozen matrices ----

  @Override
  public void encode(FrozenMatrix out, Tensor in) {
    require(in, out);
    switch (out) {
      case Dense(Tensor weight) -> moving.copy(weight, in);
      case Codebook codebook when FourBitEncoder.fits(codebook) -> encoder.encode(codebook, in);
      default -> out.encode(in);
    }
  }

  @Override
  public void decode(Tensor out, FrozenMatrix in) {
    require(out, in);
    switch (in) {
      case Dense(Tensor weight) -> moving.copy(out, weight);
      case TiledMatrix matrix -> decodeTiles(out, matrix);
      case Rotated matrix -> {
        try (HostCopies copies = new HostCopies(moving)) {
          Tensor all = copies.allocate("decoded", DType.F32, out.shape().dims());
          matrix.decode(0, matrix.elements(), all.memory());
          moving.copy(out, all);
        }
      }
    }
  }

  private void decodeTiles(Tensor out, TiledMatrix in) {
    FrozenTiles tiles = FrozenTiles.of(in);
    workers.split(
        in.elements(),
        DECODE_GRAIN,
        (worker, first, last) -> {
          if (out.dtype() == DType.F32) {
            tiles.read(first, out.memory(), first, last - first);
            return;
          }
          MemorySegment decoded = scratch.of(worker);
          for (long from = first; from < last; from += DECODED) {
            long n = Math.min(DECODED, last - from);
            tiles.read(from, decoded, 0, n);
            Conversion.narrow(decoded, 0, out, from, n);
          }
        });
  }

  private static void require(Tensor values, FrozenMatrix matrix) {
    if (values.elements() != matrix.elements() || !Conversion.isFloat32OrHalf(values.dtype())) {
      throw new IllegalArgumentException(
          "%s: expected F32, BF16 or F16 with %d elements".formatted(values, matrix.elements()));
    }
  }

  @Override
  public void frozenForward(Tensor out, Tensor x, TiledMatrix weight) {
    forward(out, x, weight, 1, false);
  }

  @Override
  public void frozenBackward(Tensor dx, Tensor dout, TiledMatrix weight) {
    backward(dx, dout, weight, 1);
  }

  @Override
  public void rotate(Tensor out, Tensor in, Rotation rotation) {
    new RowRotation(rotation).apply(loops, out, in);
  }

  @Override
  public void rotateBack(Tensor out, Tensor in, Rotation rotation) {
    new RowRotation(rotation).undo(loops, out, in);
  }
}
