package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.util.Arrays;

/**
 * Kernels that compute nothing, on memory that is counted but not allocated. Code that takes
 * kernels and a scope can be run with them to plan its memory: the scope then reports the bytes
 * that the same code needs for real.
 */
public final class PlanningKernels implements Kernels {
  private final Kernels real;
  private final Memory memory;
  private final MovingKernels moving = idle(MovingKernels.class);
  private final NormKernels norms = idle(NormKernels.class);
  private final AttentionKernels attention = idle(AttentionKernels.class);
  private final ProductKernels products = idle(ProductKernels.class);
  private final PointwiseKernels pointwise = idle(PointwiseKernels.class);
  private final LossKernels loss = idle(LossKernels.class);
  private final OptimizerKernels optimizers = idle(OptimizerKernels.class);

  private PlanningKernels(Kernels real) {
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

  /** A theme whose operations do nothing; all of them return nothing. */
  private static <T> T idle(Class<T> theme) {
    Object idle =
        Proxy.newProxyInstance(
            theme.getClassLoader(), new Class<?>[] {theme}, (proxy, operation, args) -> null);
    return theme.cast(idle);
  }

  @Override
  public String name() {
    return real.name();
  }

  @Override
  public Memory memory() {
    return memory;
  }

  @Override
  public DType activations() {
    return real.activations();
  }

  @Override
  public MovingKernels moving() {
    return moving;
  }

  @Override
  public NormKernels norms() {
    return norms;
  }

  @Override
  public AttentionKernels attention() {
    return attention;
  }

  @Override
  public ProductKernels products() {
    return products;
  }

  @Override
  public PointwiseKernels pointwise() {
    return pointwise;
  }

  @Override
  public LossKernels loss() {
    return loss;
  }

  @Override
  public OptimizerKernels optimizers() {
    return optimizers;
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
  public void close() {}
}
