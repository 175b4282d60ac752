package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * A tensor for kernels, and the same on the host for Java, which writes there what goes to the
 * device and reads there what comes from it. For kernels of host memory both are one tensor, and
 * the copies cost nothing.
 *
 * @param tensor in the kernels' memory
 * @param host of the same dtype and shape
 */
public record HostAndDevice(Tensor tensor, Tensor host) {

  /** A zeroed tensor of the scope's memory and its like on the host. */
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

  /** Hands what Java wrote to the kernels. */
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

  /** What the kernels wrote, where Java can read it; waits for them. */
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
