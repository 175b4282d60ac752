package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.Arrays;

/**
 * Pages of a plan: the scope gets what would stay, and of a device the places that the others pass
 * through. What would lie in a file or in the host's memory is not taken.
 */
final class PlannedPages implements Pager {
  private final Pager resident;
  private final int stay;
  private final Tensor[] others;
  private final Scope elsewhere;

  private PlannedPages(Pager resident, int stay, Tensor[] others, Scope elsewhere) {
    this.resident = resident;
    this.stay = stay;
    this.others = others;
    this.elsewhere = elsewhere;
  }

  /** What {@code real} would open, in a scope that counts. */
  static Pager of(Kernels real, Scope scope, long[] pageBytes, Paging paging) {
    int stay = paging.residentPages(pageBytes);
    Pager resident = Pager.resident(scope, Arrays.copyOf(pageBytes, stay));
    if (stay == pageBytes.length) {
      return resident;
    }
    Scope elsewhere = Scope.open("pages", Memory.planned(real.memory()), Scope.UNLIMITED);
    if (!(real.memory().device() instanceof Device.Host)) {
      return new PlannedPages(resident, stay, paging.places(scope, pageBytes), elsewhere);
    }
    Tensor[] mapped = new Tensor[pageBytes.length - stay];
    for (int i = 0; i < mapped.length; i++) {
      mapped[i] = elsewhere.allocate("optimizer/state", DType.U8, pageBytes[stay + i]);
    }
    return new PlannedPages(resident, stay, mapped, elsewhere);
  }

  @Override
  public Tensor page(int page) {
    return page < stay ? resident.page(page) : others[page - stay];
  }

  @Override
  public void enter(int page) {}

  @Override
  public void leave(int page) {}

  @Override
  public void close() {
    elsewhere.close();
  }
}
