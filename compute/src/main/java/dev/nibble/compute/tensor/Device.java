package dev.nibble.compute.tensor;

/** A place for tensors: the host, an accelerator, or a plan. */
public sealed interface Device {

  /** The machine's own memory: {@link Tensor#memory()} can be read and written by Java. */
  record Host() implements Device {
    @Override
    public String toString() {
      return "host";
    }
  }

  /**
   * Memory of an accelerator: {@link Tensor#memory()} has an address and no readable byte.
   *
   * @param index the driver's number of the accelerator
   */
  record Cuda(int index) implements Device {
    @Override
    public String toString() {
      return "cuda:" + index;
    }
  }

  /**
   * A plan: its tensors have sizes and no values. See {@link Memory#planned}.
   *
   * @param device whose memory is planned
   */
  record Planned(Device device) implements Device {
    @Override
    public String toString() {
      return "a plan for " + device;
    }
  }

  /** The host. */
  Device HOST = new Host();
}
