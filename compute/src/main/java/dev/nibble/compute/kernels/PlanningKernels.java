package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Kernels that compute nothing, on memory that is counted but not allocated. Code that takes
 * kernels and a scope can be run with them to plan its memory: the scope then reports the bytes
 * that the same code needs for real.
 */
public final class PlanningKernels extends InterceptedKernels {
  private final Kernels real;
  private final Memory memory;

  private PlanningKernels(Kernels real) {
    super(real);
    this.real = real;
    memory = Memory.planned(real.memory());
  }

  /**
   * Kernels that plan for {@code real}, whose name and dtypes they give. They own nothing: {@code
   * real} is closed by whoever opened it.
   */
  public static Kernels of(Kernels real) {
    return new PlanningKernels(real);
  }

  @Override
  protected void call(Operation operation, Object[] args) {
    // Nothing is computed.
  }

  @Override
  public Memory memory() {
    return memory;
  }

  /**
   * Allocates the resident pages in the scope and, for a device, the buffers of the other pages.
   * What would lie in a file or in host memory is not counted.
   */
  @Override
  public Pager pager(Scope scope, long[] pageBytes, Paging paging) {
    int stay = paging.residentPages(pageBytes);
    Pager resident = Pager.resident(scope, Arrays.copyOf(pageBytes, stay));
    if (stay == pageBytes.length) {
      return resident;
    }
    Tensor[] pages = new Tensor[pageBytes.length];
    if (real.memory().device() instanceof Device.Host) {
      Arrays.setAll(
          pages,
          i ->
              new Tensor(
                  "optimizer/state",
                  DType.U8,
                  Shape.of(pageBytes[i]),
                  memory.device(),
                  MemorySegment.NULL,
                  0));
    } else {
      System.arraycopy(paging.buffers(scope, pageBytes), 0, pages, stay, pages.length - stay);
    }
    for (int i = 0; i < stay; i++) {
      pages[i] = resident.page(i);
    }
    return Pager.of(pages);
  }

  @Override
  public void close() {
    // The real set is closed by whoever opened it.
  }
}
