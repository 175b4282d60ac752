package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * A tensor on the device and its copy on the host, which Java reads and writes. For kernels that
 * work in host memory both are the same tensor, and the copies cost nothing.
 *
 * @param tensor in the kernels' memory
 * @param host of the same dtype and shape
 */
public record HostAndDevice(Tensor tensor, Tensor host) {

  /** Allocates a zeroed tensor in the scope, and one of the same dtype and shape on the host. */
  public static HostAndDevice allocate(Scope scope, String name, DType dtype, long... dims) {
    Tensor tensor = scope.allocate(name, dtype, dims);
    return new HostAndDevice(
        tensor,
        isHostOrPlanFor(tensor.device()) ? tensor : scope.allocateOnHost(name, dtype, dims));
  }

  /** The first elements of both in a smaller shape. */
  public HostAndDevice prefix(long... dims) {
    return part(0, dims);
  }

  /** {@code dims} elements of both from element {@code from} on. */
  public HostAndDevice part(long from, long... dims) {
    Tensor part = tensor.part(from, dims);
    return new HostAndDevice(part, isOne() ? part : host.part(from, dims));
  }

  /** Copies what Java wrote to the device. */
  public void toDevice(Kernels kernels) {
    if (!isOne()) {
      kernels.moving().copy(tensor, host);
    }
  }

  /** Sets both to these integers. */
  public HostAndDevice put(Kernels kernels, int... values) {
    host.put(values);
    toDevice(kernels);
    return this;
  }

  /** Copies what kernels wrote to the host, and waits for it. */
  public Tensor toHost(Kernels kernels) {
    if (!isOne()) {
      kernels.moving().copy(host, tensor);
    }
    return host;
  }

  private boolean isOne() {
    return isHostOrPlanFor(tensor.device());
  }

  private static boolean isHostOrPlanFor(Device device) {
    return device instanceof Device.Host
        || (device instanceof Device.Planned(Device real) && real instanceof Device.Host);
  }
}
