package dev.nibble.trainer.optim;

import dev.nibble.compute.kernels.Paging;
import dev.nibble.compute.tensor.Scope;
import java.util.Optional;

/**
 * Where an optimizer's state lies.
 *
 * @param scope takes it, or the part of it that stays
 * @param paging where the rest lies; empty when all of it stays
 */
public record StateMemory(Scope scope, Optional<Paging> paging) {
  // A quarter of what may stay: two pages are on their way, and some should stay.
  private static final int SHARE = 4;
  private static final long LARGEST_PAGE = 16 << 20;

  /** All of it in the scope. */
  public static StateMemory resident(Scope scope) {
    return new StateMemory(scope, Optional.empty());
  }

  /** In pages of which some stay in the scope. */
  public static StateMemory paged(Scope scope, Paging paging) {
    return new StateMemory(scope, Optional.of(paging));
  }

  /** The most bytes of a page. */
  long pageBytes() {
    return paging
        .map(p -> Math.clamp(p.residentBytes() / SHARE, StateLayout.SMALLEST_PAGE, LARGEST_PAGE))
        .orElse(Long.MAX_VALUE);
  }
}
