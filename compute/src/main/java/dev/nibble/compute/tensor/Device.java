package dev.nibble.compute.tensor;

/** Where a tensor's bytes lie. */
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
   * Nowhere: tensors of a plan have sizes and no values. See {@link Memory#planned}.
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
