package dev.nibble.compute.kernels.cpu.onednn;

import dev.nibble.compute.kernels.Platform;
import dev.nibble.compute.kernels.cpu.onednn.OneDnnLibrary.Natives;
import dev.nibble.errors.Fault;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The functions of oneDNN that we use, each under its C prototype.
 *
 * <p>Its own threading stays off: the {@code cpu} set splits the work among its workers, so that
 * the library's threads and ours never compete for cores. Once loaded, the library stays loaded.
 */
public final class OneDnn {
  private final String file;
  private final SymbolLookup library;
  private final MethodHandle sgemm;
  private final MethodHandle setThreads;
  private final String version;

  private OneDnn(Platform platform, Natives natives) {
    file = natives.library();
    Path folder = OneDnnLibrary.extract(natives);
    // Linux finds the OpenMP runtime beside the library (RUNPATH $ORIGIN). A Mac does not look
    // there, but takes what is loaded, and Windows has its own; both look up functions in one
    // library alone.
    SymbolLookup threads =
        switch (platform.os()) {
          case MAC -> load(folder.resolve(natives.threads().orElseThrow()).toString(), platform);
          case WINDOWS -> load("vcomp140.dll", platform);
          case LINUX, OTHER -> _ -> Optional.empty();
        };
    library = load(folder.resolve(file).toString(), platform).or(threads);
    // dnnl_status_t dnnl_sgemm(char transa, char transb, dnnl_dim_t M, dnnl_dim_t N, dnnl_dim_t K,
    //     float alpha, const float *A, dnnl_dim_t lda, const float *B, dnnl_dim_t ldb,
    //     float beta, float *C, dnnl_dim_t ldc);
    sgemm =
        handle(
            "dnnl_sgemm",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_BYTE,
                ValueLayout.JAVA_BYTE,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_FLOAT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_FLOAT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG));
    // void omp_set_num_threads(int num_threads);   (of the calling thread)
    setThreads = handle("omp_set_num_threads", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT));
    version = readVersion();
  }

  /**
   * Loads the library.
   *
   * @throws OneDnnException when it cannot be loaded
   */
  public static OneDnn load() {
    Platform platform = Platform.here();
    return Natives.of(platform)
        .map(natives -> new OneDnn(platform, natives))
        .orElseThrow(
            () -> new OneDnnException(Fault.MACHINE, OneDnnLibrary.missingBecause().orElseThrow()));
  }

  /** Why oneDNN cannot run here, with what to do; empty when it can. Loads nothing. */
  public static Optional<String> missingBecause() {
    return OneDnnLibrary.missingBecause();
  }

  /** For example {@code 3.11.1}. */
  public String version() {
    return version;
  }

  /**
   * C = alpha op(A) op(B) + beta C on the calling thread; row-major, op(A) is M×K, op(B) is K×N.
   * Operands are addresses: the caller keeps their memory alive, and C apart from A and B. With
   * beta 0, C is not read.
   *
   * @param transA whether A is stored K×M
   * @param transB whether B is stored N×K
   * @param lda elements from one stored row of A to the next; {@code ldb} and {@code ldc} alike
   */
  public void sgemm(
      boolean transA,
      boolean transB,
      long m,
      long n,
      long k,
      float alpha,
      long a,
      long lda,
      long b,
      long ldb,
      float beta,
      long c,
      long ldc) {
    onOneThread();
    int status;
    try {
      status =
          (int)
              sgemm.invokeExact(
                  letter(transA), letter(transB), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    } catch (Throwable e) {
      throw OneDnnCall.failed("dnnl_sgemm", e);
    }
    OneDnnCall.check("dnnl_sgemm", status);
  }

  /** Keeps the library's own threads out of what the calling thread asks for. */
  void onOneThread() {
    try {
      setThreads.invokeExact(1);
    } catch (Throwable e) {
      throw OneDnnCall.failed("omp_set_num_threads", e);
    }
  }

  private static byte letter(boolean transposed) {
    return (byte) (transposed ? 'T' : 'N');
  }

  // const dnnl_version_t *dnnl_version(void);   a struct that starts with int major, minor, patch
  @SuppressWarnings("restricted")
  private String readVersion() {
    MethodHandle handle = handle("dnnl_version", FunctionDescriptor.of(ValueLayout.ADDRESS));
    try {
      MemorySegment v = ((MemorySegment) handle.invokeExact()).reinterpret(12);
      return "%d.%d.%d"
          .formatted(
              v.get(ValueLayout.JAVA_INT, 0),
              v.get(ValueLayout.JAVA_INT, 4),
              v.get(ValueLayout.JAVA_INT, 8));
    } catch (Throwable e) {
      throw OneDnnCall.failed("dnnl_version", e);
    }
  }

  @SuppressWarnings("restricted")
  private static SymbolLookup load(String file, Platform platform) {
    try {
      return SymbolLookup.libraryLookup(file, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new OneDnnException(
          Fault.MACHINE,
          "cannot load %s (%s). It needs %s"
              .formatted(file, e.getMessage(), OneDnnLibrary.needs(platform.os())),
          e);
    }
  }

  /** A function of the library under its C prototype. */
  @SuppressWarnings("restricted")
  MethodHandle handle(String symbol, FunctionDescriptor descriptor) {
    MemorySegment address =
        library
            .find(symbol)
            .orElseThrow(() ->
                new OneDnnException(
                    Fault.MACHINE,
                    "%s has no symbol %s: is another version of it on the class path?"
                        .formatted(file, symbol)));
    return Linker.nativeLinker().downcallHandle(address, descriptor);
  }
}
