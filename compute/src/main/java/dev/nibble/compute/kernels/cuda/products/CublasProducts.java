package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.kernels.cuda.cublas.Cublas;
import dev.nibble.compute.kernels.cuda.cublas.CublasHandle;
import dev.nibble.compute.kernels.cuda.cublas.CublasHandle.Operand;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * Products by cuBLAS. What is row-major is, to cuBLAS, the transposed matrix in column-major order:
 * so it is asked for out^T = b^T a^T.
 */
public final class CublasProducts implements Products {
  private final Launch launch;
  private final Cublas cublas;
  private final CublasHandle handle;

  /** Opens cuBLAS on the set's stream, with a workspace in scratch. */
  public CublasProducts(Launch launch, Cublas cublas, Scope scratch) {
    this.launch = launch;
    this.cublas = cublas;
    Tensor workspace = scratch.allocate("scratch/cublas", DType.U8, CublasHandle.WORKSPACE_BYTES);
    launch.stream().makeContextCurrent();
    handle = new CublasHandle(cublas, launch.stream().address(), workspace.address());
  }

  @Override
  public String describe() {
    return "cuBLAS %s (%s)".formatted(handle.version(), cublas.file());
  }

  @Override
  public void multiply(Matrix out, Matrix a, Matrix b, double alpha, double beta) {
    Products.require(out, a, b);
    if (out.rows() == 0 || out.cols() == 0) {
      return;
    }
    launch.stream().makeContextCurrent();
    launch.calling();
    handle.gemm(
        out.cols(), out.rows(), a.cols(), alpha, operand(b), operand(a), beta, operand(out));
    launch.called(
        out.dtype() == a.dtype() ? "cublasGemmEx" : "cublasGemmEx to F32",
        Products.shape(out, a),
        Products.bytes(out, a, b, beta),
        () -> "cublasGemmEx of %s from %s and %s".formatted(out, a, b));
  }

  private Operand operand(Matrix m) {
    launch.requireUsable(m.tensor(), "cublasGemmEx");
    return new Operand(
        m.tensor().address(),
        m.dtype() == DType.F32 ? CublasHandle.Type.F32 : CublasHandle.Type.BF16,
        m.stride(),
        m.transposed());
  }

  @Override
  public void close() {
    launch.stream().makeContextCurrent();
    handle.close();
  }
}
