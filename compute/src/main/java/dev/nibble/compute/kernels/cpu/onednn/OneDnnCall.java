package dev.nibble.compute.kernels.cpu.onednn;

import dev.nibble.errors.Fault;
import dev.nibble.errors.Remedy;

/** Calls of oneDNN: a status or a throwable becomes an exception here and nowhere else. */
final class OneDnnCall {
  private static final int OUT_OF_MEMORY = 1;

  private OneDnnCall() {}

  /** Passes when {@code status} is dnnl_success. */
  static void check(String operation, int status) {
    if (status == 0) {
      return;
    }
    String problem = "oneDNN: %s returned %d (%s)".formatted(operation, status, name(status));
    throw status == OUT_OF_MEMORY
        ? new OneDnnException(Fault.MACHINE, problem, Remedy.LESS_HOST_MEMORY)
        : new OneDnnException(
            Fault.BUG,
            problem + ". Set ONEDNN_VERBOSE=all to see why, or choose another kernel set.");
  }

  /** A call that did not return. */
  static RuntimeException failed(String operation, Throwable cause) {
    if (cause instanceof Error e) {
      throw e;
    }
    return new OneDnnException(Fault.BUG, "oneDNN: the call of " + operation + " failed", cause);
  }

  private static String name(int status) {
    return switch (status) {
      case OUT_OF_MEMORY -> "out of memory";
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
}
