package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Arrays;

/**
 * Kernels that compute nothing, over memory that counts and holds nothing. Whatever takes kernels
 * and a scope can be planned with them: the scope then says what the same code takes for real.
 */
public final class PlanningKernels {
  private PlanningKernels() {}

  /**
   * Kernels that plan for {@code real}, whose dtypes and answers they give. They are closed with
   * {@code real}, by whoever opened it.
   */
  public static Kernels of(Kernels real) {
    Memory memory = Memory.planned(real.memory());
    return (Kernels)
        Proxy.newProxyInstance(
            Kernels.class.getClassLoader(),
            new Class<?>[] {Kernels.class},
            (proxy, method, args) -> {
              if (method.getName().equals("memory")) {
                return memory;
              }
              if (method.getName().equals("pager")) {
                return pager(real, (Scope) args[0], (long[]) args[1], (Paging) args[2]);
              }
              if (method.getReturnType() == void.class) {
                return null;
              }
              try {
                return method.invoke(real, args);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /**
   * The scope gets what would stay, and of a device the places that other pages pass through. What
   * would lie in a file or in the host's memory is not taken.
   */
  private static Pager pager(Kernels real, Scope scope, long[] pageBytes, Paging paging) {
    int stay = paging.residentPages(pageBytes);
    Pager resident = Pager.resident(scope, Arrays.copyOf(pageBytes, stay));
    if (stay == pageBytes.length) {
      return resident;
    }
    Tensor[] pages = new Tensor[pageBytes.length];
    if (real.memory().device() instanceof Device.Host) {
      Device planned = Memory.planned(real.memory()).device();
      Arrays.setAll(
          pages,
          i ->
              new Tensor(
                  "optimizer/state",
                  DType.U8,
                  Shape.of(pageBytes[i]),
                  planned,
                  MemorySegment.NULL,
                  0));
    } else {
      System.arraycopy(paging.places(scope, pageBytes), 0, pages, stay, pages.length - stay);
    }
    for (int i = 0; i < stay; i++) {
      pages[i] = resident.page(i);
    }
    return Pager.of(pages);
  }
}
