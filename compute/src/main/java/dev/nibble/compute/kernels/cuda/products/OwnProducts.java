package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * Products by the set's own kernels. Where the output has too few tiles to occupy the device, as
 * that of a low-rank factor's gradient, the inner dimension is cut into parts, which are added in
 * their order.
 */
public final class OwnProducts implements Products {
  private static final int LARGE = 128;
  private static final int SMALL = 64;
  // As in products.cu: threads, and the bytes of the stages in shared memory.
  private static final int THREADS_BF16 = 128;
  private static final int SHARED_LARGE = 3 * (LARGE + LARGE) * 32 * 2;
  private static final int SHARED_SMALL = 4 * (SMALL + SMALL) * 32 * 2;
  private static final int THREADS_F32 = 256;

  // Blocks of small tiles that a multiprocessor holds at once.
  private static final long RESIDENT = 4;
  // A part of the inner dimension: long enough that a block does more than start and end.
  private static final long LEAST_PART = 256;
  private static final long PARTS_BYTES = 16L << 20;

  private final Launch launch;
  private final Tensor parts;

  /** Products on the set's stream, with scratch for partial sums. */
  public OwnProducts(Launch launch, Scope scratch) {
    this.launch = launch;
    parts = scratch.allocate("scratch/products", DType.F32, PARTS_BYTES / 4);
  }

  @Override
  public void close() {
    // Kernels are the device's, and scratch is the scope's.
  }

  @Override
  public String describe() {
    return "own products";
  }

  @Override
  public void multiply(Matrix out, Matrix a, Matrix b, double alpha, double beta) {
    Products.require(out, a, b);
    long m = out.rows();
    long n = out.cols();
    long k = a.cols();
    long multiprocessors = launch.device().multiprocessors();
    boolean large = tiles(m, n, LARGE) >= multiprocessors;
    int tile = large ? LARGE : SMALL;
    long tiles = tiles(m, n, tile);
    long part = large ? k : part(m, n, k, RESIDENT * multiprocessors / Math.max(1, tiles));
    long count = Math.max(1, Math.ceilDiv(k, Math.max(1, part)));
    boolean bf16 = a.dtype() == DType.BF16;
    launch
        .kernel(name(a, b, large), a.dtype())
        .tensor(out.tensor())
        .i64(out.stride())
        .i32(out.dtype() == DType.F32 ? 1 : 0)
        .tensor(a.tensor())
        .i64(a.stride())
        .tensor(b.tensor())
        .i64(b.stride())
        .i32(m)
        .i32(n)
        .i32(k)
        .f32(alpha)
        .f32(beta)
        .tensor(parts)
        .i32(part)
        .multiplies(Products.shape(out, a))
        .moves(Products.bytes(out, a, b, beta))
        .grid(
            tiles,
            count,
            1,
            bf16 ? THREADS_BF16 : THREADS_F32,
            bf16 ? large ? SHARED_LARGE : SHARED_SMALL : 0);
    if (count > 1) {
      launch
          .kernel("sum_parts", out.dtype())
          .tensor(out.tensor())
          .i64(out.stride())
          .tensor(parts)
          .i32(count)
          .i32(m)
          .i32(n)
          .f32(alpha)
          .f32(beta)
          .moves((double) m * n * (count * Float.BYTES + out.dtype().bytes()))
          .each(m * n);
    }
  }

  private static long tiles(long m, long n, int size) {
    return Math.ceilDiv(m, size) * Math.ceilDiv(n, size);
  }

  /** Elements of a part of the inner dimension, of which {@code wanted} would occupy the device. */
  private long part(long m, long n, long k, long wanted) {
    long room = parts.elements() / Math.max(1, m * n);
    long count = Math.clamp(Math.min(wanted, room), 1, Math.max(1, k / LEAST_PART));
    return count == 1 ? k : Math.ceilDiv(Math.ceilDiv(k, count), 32) * 32;
  }

  private static String name(Matrix a, Matrix b, boolean large) {
    if (a.transposed()) {
      return large ? "multiply_tn_128" : "multiply_tn_64";
    }
    if (b.transposed()) {
      return large ? "multiply_nt_128" : "multiply_nt_64";
    }
    return large ? "multiply_nn_128" : "multiply_nn_64";
  }
}
