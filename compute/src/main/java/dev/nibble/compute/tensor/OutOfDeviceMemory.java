package dev.nibble.compute.tensor;

/** An allocation that exceeds the free memory of an accelerator. */
public final class OutOfDeviceMemory extends OutOfMemoryError {
  private static final long serialVersionUID = 1L;

  private final String wanted;
  private final String state;

  /**
   * As the accelerator's driver says it.
   *
   * @param wanted bytes that were asked for
   * @param free bytes that no program holds
   * @param total bytes of the device
   */
  public OutOfDeviceMemory(Device device, long wanted, long free, long total, Throwable cause) {
    this(
        "%s has no %s".formatted(device, Scope.text(wanted)),
        ": %s of its %s are free".formatted(Scope.text(free), Scope.text(total)),
        "",
        cause);
  }

  private OutOfDeviceMemory(String wanted, String state, String use, Throwable cause) {
    super(wanted + use + state);
    this.wanted = wanted;
    this.state = state;
    initCause(cause);
  }

  /** The same, with what asked for the memory and a table of what holds it. */
  OutOfDeviceMemory of(String tensor, String table) {
    return new OutOfDeviceMemory(
        wanted, "%s. This run holds%n%s".formatted(state, table), " for " + tensor, this);
  }
}
