package dev.nibble.compute.kernels.cuda.cublas;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.nibble.compute.kernels.Platform;
import dev.nibble.errors.Fault;
import dev.nibble.errors.Remedy;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/**
 * The functions of cuBLAS that we use, each under its C prototype; they are the same in its
 * versions 11, 12 and 13. Once loaded, the library stays loaded.
 */
public final class Cublas {
  private static final int NEWEST = 13;
  private static final int OLDEST = 11;

  private static final Map<String, Cublas> LOADED = new ConcurrentHashMap<>();

  private final String file;
  private final SymbolLookup library;

  // cublasStatus_t cublasCreate_v2(cublasHandle_t *handle);
  final MethodHandle create;
  // cublasStatus_t cublasDestroy_v2(cublasHandle_t handle);
  final MethodHandle destroy;
  // cublasStatus_t cublasGetVersion_v2(cublasHandle_t handle, int *version);
  final MethodHandle getVersion;
  // cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t streamId);
  final MethodHandle setStream;
  // cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void *workspace, size_t bytes);
  final MethodHandle setWorkspace;
  // cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode);
  final MethodHandle setMathMode;
  // cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t mode);
  final MethodHandle setAtomicsMode;
  // cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transa,
  //     cublasOperation_t transb, int m, int n, int k, const void *alpha, const void *A,
  //     cudaDataType_t Atype, int lda, const void *B, cudaDataType_t Btype, int ldb,
  //     const void *beta, void *C, cudaDataType_t Ctype, int ldc,
  //     cublasComputeType_t computeType, cublasGemmAlgo_t algo);
  final MethodHandle gemmEx;

  private Cublas(String file) {
    this.file = file;
    library = open(file);
    create = handle("cublasCreate_v2", ADDRESS);
    destroy = handle("cublasDestroy_v2", JAVA_LONG);
    getVersion = handle("cublasGetVersion_v2", JAVA_LONG, ADDRESS);
    setStream = handle("cublasSetStream_v2", JAVA_LONG, JAVA_LONG);
    setWorkspace = handle("cublasSetWorkspace_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG);
    setMathMode = handle("cublasSetMathMode", JAVA_LONG, JAVA_INT);
    setAtomicsMode = handle("cublasSetAtomicsMode", JAVA_LONG, JAVA_INT);
    gemmEx =
        handle(
            "cublasGemmEx",
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            ADDRESS,
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            ADDRESS,
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT);
  }

  /**
   * The newest library that {@link CublasFiles} finds and that can be loaded; empty when there is
   * none.
   *
   * @param cuda major version of CUDA that the driver knows: it cannot run what is newer
   */
  public static Optional<Cublas> find(int cuda) {
    return IntStream.iterate(Math.min(NEWEST, cuda), v -> v >= OLDEST, v -> v - 1)
        .boxed()
        .flatMap(v -> CublasFiles.of(Platform.here().os(), System.getenv(), v))
        .flatMap(file -> tryLoad(file).stream())
        .findFirst();
  }

  private static Optional<Cublas> tryLoad(String file) {
    try {
      return Optional.of(LOADED.computeIfAbsent(file, Cublas::new));
    } catch (CublasException e) {
      return Optional.empty();
    }
  }

  /**
   * Loads the library from a file.
   *
   * @throws CublasException when it cannot be loaded
   */
  public static Cublas load(Path file) {
    return LOADED.computeIfAbsent(file.toAbsolutePath().toString(), Cublas::new);
  }

  /** The file, or the name that the dynamic loader found. */
  public String file() {
    return file;
  }

  @SuppressWarnings("restricted")
  private static SymbolLookup open(String file) {
    // cuBLAS needs cublasLt of its own version; beside it, where the loader may not look.
    Path path = Path.of(file);
    Path name = path.getFileName();
    if (name != null && path.getParent() != null) {
      Path light = path.resolveSibling(light(name.toString()));
      if (!light.equals(path) && Files.exists(light)) {
        load(light.toString());
      }
    }
    return load(file);
  }

  /** The file name of cublasLt by that of cuBLAS; any other name as it is. */
  static String light(String name) {
    return name.replaceFirst("^((?:lib)?cublas)(?=\\.|64_)", "$1Lt");
  }

  @SuppressWarnings("restricted")
  private static SymbolLookup load(String file) {
    try {
      return SymbolLookup.libraryLookup(file, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new CublasException(
          Fault.MACHINE,
          "%s cannot be loaded (%s); expected cuBLAS of CUDA 11, 12 or 13"
              .formatted(file, e.getMessage()),
          Remedy.OWN_PRODUCTS,
          e);
    }
  }

  @SuppressWarnings("restricted")
  private MethodHandle handle(String symbol, MemoryLayout... arguments) {
    MemorySegment address =
        library
            .find(symbol)
            .orElseThrow(() ->
                new CublasException(
                    Fault.MACHINE,
                    "%s has no function %s: expected cuBLAS of CUDA 11, 12 or 13"
                        .formatted(file, symbol)));
    return Linker.nativeLinker()
        .downcallHandle(address, FunctionDescriptor.of(JAVA_INT, arguments));
  }
}
