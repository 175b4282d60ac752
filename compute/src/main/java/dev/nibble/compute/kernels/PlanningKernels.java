package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

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
                return PlannedPages.of(real, (Scope) args[0], (long[]) args[1], (Paging) args[2]);
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
}
