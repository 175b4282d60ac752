package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.MovingKernels;
import dev.nibble.compute.kernels.ProductKernels;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Rotation;
import dev.nibble.compute.weights.TiledMatrix;

/** Linear maps with dense and with frozen weights, their biases, and frozen matrices. */
public final class CudaProductKernels implements ProductKernels {
  private static final int BIAS_THREADS = 128;
  private static final int BIAS_COLUMNS = 8;
  private static final long BIAS_BLOCKS_PER_MULTIPROCESSOR = 16;
  private static final int BIAS_BACKWARD_THREADS = 256;
  private static final int ROTATION_THREADS = 256;

  private final Launch launch;
  private final FourBitKernels fourBit;
  private final FrozenTiles tiles;
  private final WeightProducts products;

  /**
   * Kernels that launch on the set's stream.
   *
   * @param moving copies dense matrices
   * @param products who multiplies
   * @param tileBytes scratch for weights that are brought to another dtype
   */
  public CudaProductKernels(
      Launch launch, MovingKernels moving, Products products, Scope scratch, long tileBytes) {
    this.launch = launch;
    var tile = new TileScratch(scratch.allocate("scratch/weights", DType.U8, tileBytes));
    fourBit = new FourBitKernels(launch, tile);
    tiles = new FrozenTiles(launch, moving, fourBit);
    this.products = new WeightProducts(products, tiles, tile);
  }

  @Override
  public void linearForward(Tensor out, Tensor x, Tensor weight) {
    products.forward(out, x, new Dense(weight), 1, 0);
  }

  @Override
  public void linearForwardAdd(Tensor out, Tensor x, Tensor weight, double scale) {
    products.forward(out, x, new Dense(weight), scale, 1);
  }

  @Override
  public void linearBackward(Tensor dx, Tensor dout, Tensor weight, double scale) {
    products.backward(dx, dout, new Dense(weight), scale);
  }

  @Override
  public void linearBackwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale) {
    requireF32("linearBackwardWeight", dweight);
    products.backwardWeight(dweight, dout, x, scale);
  }

  @Override
  public void biasForward(Tensor out, Tensor bias) {
    long cols = bias.elements();
    long rows = rows("biasForward", out, bias);
    String kernel =
        switch (bias.dtype()) {
          case F32 -> "bias_forward_f32";
          case BF16 -> "bias_forward_bf16";
          case F16 -> "bias_forward_f16";
          default ->
              throw new IllegalArgumentException(
                  "biasForward: expected a bias of F32, BF16 or F16, got " + bias);
        };
    long across = Math.ceilDiv(cols, (long) BIAS_COLUMNS * BIAS_THREADS);
    long blocks = BIAS_BLOCKS_PER_MULTIPROCESSOR * launch.device().multiprocessors();
    launch
        .kernel(kernel, out.dtype())
        .tensor(out)
        .tensor(bias)
        .i64(rows)
        .i64(cols)
        .grid(
            across, Math.min(rows, Math.max(1, blocks / Math.max(1, across))), 1, BIAS_THREADS, 0);
  }

  @Override
  public void biasBackward(Tensor dbias, Tensor dout) {
    requireF32("biasBackward", dbias);
    launch
        .kernel("bias_backward", dout.dtype())
        .tensor(dbias)
        .tensor(dout)
        .i64(rows("biasBackward", dout, dbias))
        .i64(dbias.elements())
        .blocks(Math.ceilDiv(dbias.elements(), 32), BIAS_BACKWARD_THREADS);
  }

  /** The N of x [N, O] with a bias [O]. */
  private static long rows(String operation, Tensor x, Tensor bias) {
    long cols = bias.elements();
    long rows = cols == 0 ? 0 : x.elements() / cols;
    if (rows * cols != x.elements()) {
      throw new IllegalArgumentException(
          "%s: expected [N, %d] with the bias %s, got %s".formatted(operation, cols, bias, x));
    }
    return rows;
  }

  private static void requireF32(String operation, Tensor gradient) {
    if (gradient.dtype() != DType.F32) {
      throw new IllegalArgumentException(operation + ": expected F32, got " + gradient);
    }
  }

  // ---- frozen matrices ----

  @Override
  public void encode(FrozenMatrix out, Tensor in) {
    require(in, out);
    tiles.encode(out, in);
  }

  @Override
  public void decode(Tensor out, FrozenMatrix in) {
    require(out, in);
    tiles.decode(out, in);
  }

  private static void require(Tensor values, FrozenMatrix matrix) {
    DType dtype = values.dtype();
    boolean floats = dtype == DType.F32 || dtype == DType.BF16 || dtype == DType.F16;
    if (values.elements() != matrix.elements() || !floats) {
      throw new IllegalArgumentException(
          "%s: expected F32, BF16 or F16 with %d elements".formatted(values, matrix.elements()));
    }
  }

  @Override
  public void frozenForward(Tensor out, Tensor x, TiledMatrix weight) {
    if (weight instanceof Codebook codebook && fourBit.takesFew(out, x, codebook)) {
      fourBit.forward(out, x, codebook);
    } else {
      products.forward(out, x, weight, 1, 0);
    }
  }

  @Override
  public void frozenBackward(Tensor dx, Tensor dout, TiledMatrix weight) {
    products.backward(dx, dout, weight, 1);
  }

  @Override
  public void rotate(Tensor out, Tensor in, Rotation rotation) {
    rotate("rotate", out, in, rotation);
  }

  @Override
  public void rotateBack(Tensor out, Tensor in, Rotation rotation) {
    rotate("rotate_back", out, in, rotation);
  }

  /** A block for each row, which lies in its shared memory. */
  private void rotate(String kernel, Tensor out, Tensor in, Rotation rotation) {
    long n = rotation.size();
    long rows = n == 0 ? 0 : in.elements() / n;
    if (rows * n != in.elements() || out.elements() != in.elements() || out.dtype() != in.dtype()) {
      throw new IllegalArgumentException(
          "%s: expected rows of %d elements, got %s and %s".formatted(kernel, n, out, in));
    }
    if (n * Float.BYTES > launch.device().sharedPerBlock()) {
      throw new KernelUnavailable(
          "kernel set cuda rotates rows of at most %d numbers on this device, not of %d"
              .formatted(launch.device().sharedPerBlock() / Float.BYTES, n));
    }
    launch
        .kernel(kernel, out.dtype())
        .tensor(out)
        .tensor(in)
        .tensor(rotation.signs())
        .tensor(rotation.base())
        .i32(rotation.base().dim(0))
        .i32(rotation.power())
        .grid(rows, 1, 1, ROTATION_THREADS, Math.toIntExact(n * Float.BYTES));
  }
}
