package dev.nibble.compute.kernels.cpu.onednn;

/** The one place where a status or a throwable of a native call becomes an exception. */
final class OneDnnCall {
  private OneDnnCall() {}

  /** Passes when {@code status} is dnnl_success. */
  static void check(String operation, int status) {
    if (status != 0) {
      throw new OneDnnException(
          "oneDNN: %s returned %d (%s). %s"
              .formatted(operation, status, name(status), advice(status)));
    }
  }

  /** A call that did not return. */
  static RuntimeException failed(String operation, Throwable cause) {
    if (cause instanceof Error e) {
      throw e;
    }
    return new OneDnnException("oneDNN: the call of " + operation + " failed", cause);
  }

  private static String name(int status) {
    return switch (status) {
      case 1 -> "out of memory";
      case 2 -> "invalid arguments";
      case 3 -> "unimplemented";
      case 4 -> "last implementation reached";
      case 5 -> "runtime error";
      case 6 -> "not required";
      case 7 -> "invalid graph";
      case 8 -> "invalid graph operation";
      case 9 -> "invalid shape";
      case 10 -> "invalid data type";
      default -> "unknown status";
    };
  }

  private static String advice(int status) {
    return status == 1
        ? "Lower sequence_len or micro_batch_size, or give the process more memory."
        : "Set ONEDNN_VERBOSE=all to see why, or choose another kernel set.";
  }
}
