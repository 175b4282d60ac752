package dev.nibble.compute.kernels.cuda.cublas;

/** The one place where a status or a throwable of a native call becomes an exception. */
final class CublasCall {
  private CublasCall() {}

  /** A native call that gives a cublasStatus_t. */
  @FunctionalInterface
  interface Body {
    int invoke() throws Throwable;
  }

  /** Makes a call; an error becomes a {@link CublasException}. */
  static void run(String operation, Body body) {
    int status;
    try {
      status = body.invoke();
    } catch (Throwable e) {
      throw failed(operation, e);
    }
    check(operation, status);
  }

  /** Passes when {@code status} is CUBLAS_STATUS_SUCCESS. */
  static void check(String operation, int status) {
    if (status != 0) {
      throw new CublasException(
          "cuBLAS: %s returned %d (%s). %s"
              .formatted(operation, status, name(status), advice(status)));
    }
  }

  /** A call that did not return. */
  static RuntimeException failed(String operation, Throwable cause) {
    if (cause instanceof Error e) {
      throw e;
    }
    return new CublasException("cuBLAS: the call of " + operation + " failed", cause);
  }

  private static String name(int status) {
    return switch (status) {
      case 1 -> "not initialized";
      case 3 -> "allocation failed";
      case 7 -> "invalid value";
      case 8 -> "architecture mismatch";
      case 11 -> "mapping error";
      case 13 -> "execution failed";
      case 14 -> "internal error";
      case 15 -> "not supported";
      case 16 -> "license error";
      default -> "unknown status";
    };
  }

  private static String advice(int status) {
    return switch (status) {
      case 1, 3 ->
          "It needs some hundred MB of the device: lower micro_batch_size or sequence_len, or write cublas: none";
      case 13 ->
          "A kernel failed, perhaps one that was launched earlier: run again with 'debug: sync' to learn which";
      default -> "Write cublas: none for Nibble's own products; CUBLAS_LOGINFO_DBG=1 says more";
    };
  }
}
