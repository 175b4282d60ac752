package dev.nibble.compute.kernels.cuda.cublas;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicLong;

/**
 * cuBLAS on one stream: products that give the same bits each time, without TF32, and without
 * rounding partial sums. The calling thread's context must be the stream's in every call, {@link
 * #close} included. One caller at a time.
 */
public final class CublasHandle implements AutoCloseable {
  /** Bytes of workspace that suit every device: cuBLAS' own choice for the largest ones. */
  public static final long WORKSPACE_BYTES = 32L << 20;

  // cublasOperation_t
  private static final int NOT_TRANSPOSED = 0;
  private static final int TRANSPOSED = 1;
  // cublasMath_t: CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION beside the default
  private static final int FULL_REDUCTION = 16;
  // cublasAtomicsMode_t
  private static final int NO_ATOMICS = 0;
  // cublasComputeType_t: CUBLAS_COMPUTE_32F and CUBLAS_COMPUTE_32F_PEDANTIC, which takes no TF32
  private static final int COMPUTE_F32 = 68;
  private static final int COMPUTE_F32_PEDANTIC = 69;
  // cublasGemmAlgo_t
  private static final int DEFAULT_ALGORITHM = -1;

  private final Cublas cublas;
  private final AtomicLong handle;
  private final int version;
  // float alpha, beta; read before cublasGemmEx returns.
  private final MemorySegment factors = Arena.ofAuto().allocate(8, 4);
  private final MemorySegment alphaAddress = factors.asSlice(0, 4);
  private final MemorySegment betaAddress = factors.asSlice(4, 4);

  /** The element type of an operand, a cudaDataType_t. */
  public enum Type {
    F32(0),
    BF16(14);

    private final int code;

    Type(int code) {
      this.code = code;
    }
  }

  /**
   * A column-major matrix of the device, as cuBLAS takes them.
   *
   * @param address of the first element
   * @param type of the elements
   * @param stride elements from one stored column to the next
   * @param transposed whether the operand is what is stored, transposed
   */
  public record Operand(long address, Type type, long stride, boolean transposed) {}

  /**
   * Opens cuBLAS.
   *
   * @param stream a CUstream
   * @param workspace address of {@link #WORKSPACE_BYTES} bytes of the device that no one else uses
   *     while this is open
   */
  public CublasHandle(Cublas cublas, long stream, long workspace) {
    this.cublas = cublas;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      CublasCall.run("cublasCreate", () -> (int) cublas.create.invokeExact(out));
      long h = out.get(ValueLayout.JAVA_LONG, 0);
      handle = new AtomicLong(h);
      try {
        MemorySegment number = arena.allocate(ValueLayout.JAVA_INT);
        CublasCall.run("cublasGetVersion", () -> (int) cublas.getVersion.invokeExact(h, number));
        version = number.get(ValueLayout.JAVA_INT, 0);
        // In this order: another stream takes the workspace away.
        CublasCall.run("cublasSetStream", () -> (int) cublas.setStream.invokeExact(h, stream));
        CublasCall.run(
            "cublasSetWorkspace",
            () -> (int) cublas.setWorkspace.invokeExact(h, workspace, WORKSPACE_BYTES));
        CublasCall.run(
            "cublasSetMathMode", () -> (int) cublas.setMathMode.invokeExact(h, FULL_REDUCTION));
        CublasCall.run(
            "cublasSetAtomicsMode", () -> (int) cublas.setAtomicsMode.invokeExact(h, NO_ATOMICS));
      } catch (RuntimeException e) {
        close();
        throw e;
      }
    }
  }

  /** For example {@code 12.4.5}. */
  public String version() {
    return "%d.%d.%d".formatted(version / 10000, version / 100 % 100, version % 100);
  }

  /**
   * C = alpha A B + beta C in float32, rounded once; A is m by k, B k by n, all column-major. With
   * beta 0, C is not read.
   *
   * @param a of b's type; F32 is multiplied as it is, never as TF32
   * @param c not transposed
   */
  public void gemm(
      long m, long n, long k, double alpha, Operand a, Operand b, double beta, Operand c) {
    long h = handle.get();
    if (h == 0) {
      throw new IllegalStateException("cuBLAS is closed");
    }
    factors.setAtIndex(ValueLayout.JAVA_FLOAT, 0, (float) alpha);
    factors.setAtIndex(ValueLayout.JAVA_FLOAT, 1, (float) beta);
    int status;
    try {
      status =
          (int)
              cublas.gemmEx.invokeExact(
                  h,
                  operation(a),
                  operation(b),
                  Math.toIntExact(m),
                  Math.toIntExact(n),
                  Math.toIntExact(k),
                  alphaAddress,
                  a.address,
                  a.type.code,
                  Math.toIntExact(a.stride),
                  b.address,
                  b.type.code,
                  Math.toIntExact(b.stride),
                  betaAddress,
                  c.address,
                  c.type.code,
                  Math.toIntExact(c.stride),
                  a.type == Type.F32 ? COMPUTE_F32_PEDANTIC : COMPUTE_F32,
                  DEFAULT_ALGORITHM);
    } catch (Throwable e) {
      throw CublasCall.failed("cublasGemmEx", e);
    }
    if (status != 0) {
      CublasCall.check("cublasGemmEx of [%d, %d, %d]".formatted(m, n, k), status);
    }
  }

  private static int operation(Operand x) {
    return x.transposed ? TRANSPOSED : NOT_TRANSPOSED;
  }

  @Override
  public void close() {
    long h = handle.getAndSet(0);
    if (h == 0) {
      throw new IllegalStateException("cuBLAS is closed twice");
    }
    CublasCall.run("cublasDestroy", () -> (int) cublas.destroy.invokeExact(h));
  }
}
