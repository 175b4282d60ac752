package dev.nibble.compute.kernels.cuda.work;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.Pager;
import dev.nibble.compute.kernels.Paging;
import dev.nibble.compute.kernels.cuda.Emulator;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Pages that pass through the device. The emulated streams do work as late as they may, so an order
 * that was not asked for shows.
 */
@Tag("cuda")
final class StreamedPagesTest {
  private static final long[] SIZES = {64, 128, 128, 64, 128, 32, 128};

  private static Tensor floats(Tensor page) {
    return new Tensor(
        "page", DType.F32, Shape.of(page.bytes() / 4), page.device(), page.memory(), page.offset());
  }

  /** Every sweep adds the page's number to its floats; what they hold says that none was lost. */
  @ParameterizedTest
  @ValueSource(longs = {0, 300, 400, 500, 1000})
  void keepWhatKernelsWrote(long residentBytes) {
    try (Kernels kernels = Emulator.open(DType.F32);
        Scope scope = Scope.open("test", kernels.memory());
        Scope host = Scope.open("test", Memory.host())) {
      Tensor add = scope.allocate("add", DType.F32, 32);
      long before = scope.bytes();
      Paging paging = new Paging(residentBytes, Path.of("unused"));
      try (Pager pager = kernels.pager(scope, SIZES, paging)) {
        assertThat(scope.bytes() - before).isLessThanOrEqualTo(Math.max(256, residentBytes));
        scope.seal();
        for (int sweep = 1; sweep <= 3; sweep++) {
          for (int i = 0; i < SIZES.length; i++) {
            pager.enter(i);
            Tensor page = floats(pager.page(i));
            kernels.moving().fill(add, i + 1);
            kernels.pointwise().add(page, page, add.prefix(page.elements()));
            pager.leave(i);
          }
        }
        for (int i : new int[] {4, 6, 5, 0, 3, 2, 1}) { // in any order
          Tensor copy = host.allocate("copy", DType.F32, SIZES[i] / 4);
          pager.enter(i);
          kernels.moving().copy(copy, floats(pager.page(i)));
          pager.leave(i);
          assertThat(copy.toFloats()).as("page %d", i).containsOnly(3 * (i + 1));
        }
      }
    }
  }

  @Test
  void everythingIsGivenBack() {
    long before = Emulator.alive();
    keepWhatKernelsWrote(0);
    assertThat(Emulator.alive()).isEqualTo(before);
  }
}
