package dev.nibble.compute.kernels.cuda.cublas;

import dev.nibble.errors.Fault;
import dev.nibble.errors.Remedy;

/** Calls of cuBLAS: a status or a throwable becomes an exception here and nowhere else. */
final class CublasCall {
  private static final int NOT_INITIALIZED = 1;
  private static final int ALLOCATION_FAILED = 3;
  private static final int EXECUTION_FAILED = 13;

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
    if (status == 0) {
      return;
    }
    String problem = "cuBLAS: %s returned %d (%s)".formatted(operation, status, name(status));
    throw switch (status) {
      case NOT_INITIALIZED, ALLOCATION_FAILED ->
          new CublasException(
              Fault.MACHINE,
              problem + ". It needs some hundred MB of the device",
              Remedy.LESS_DEVICE_MEMORY_OR_OWN_PRODUCTS);
      case EXECUTION_FAILED ->
          new CublasException(
              Fault.BUG,
              problem + ". A kernel failed, perhaps one that was launched earlier",
              Remedy.WAIT_FOR_EACH_KERNEL);
      default ->
          new CublasException(
              Fault.MACHINE, problem + "; CUBLAS_LOGINFO_DBG=1 says more", Remedy.OWN_PRODUCTS);
    };
  }

  /** A call that did not return. */
  static RuntimeException failed(String operation, Throwable cause) {
    if (cause instanceof Error e) {
      throw e;
    }
    return new CublasException(Fault.BUG, "cuBLAS: the call of " + operation + " failed", cause);
  }

  private static String name(int status) {
    return switch (status) {
      case NOT_INITIALIZED -> "not initialized";
      case ALLOCATION_FAILED -> "allocation failed";
      case 7 -> "invalid value";
      case 8 -> "architecture mismatch";
      case 11 -> "mapping error";
      case EXECUTION_FAILED -> "execution failed";
      case 14 -> "internal error";
      case 15 -> "not supported";
      case 16 -> "license error";
      default -> "unknown status";
    };
  }
}
