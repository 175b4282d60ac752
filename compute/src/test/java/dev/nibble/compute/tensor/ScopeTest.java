package dev.nibble.compute.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ScopeTest {

  private static Scope scope() {
    return Scope.open("run", Memory.host());
  }

  @Test
  void countsItsOwnAndItsChildrensBytes() {
    try (Scope run = scope()) {
      run.allocate("a", DType.F32, 10, 5);
      try (Scope batch = run.child("batch")) {
        batch.allocate("b", DType.BF16, 100);
        assertThat(run.bytes()).isEqualTo(400);
      }
      assertThat(run.bytes()).isEqualTo(200);
    }
  }

  @Test
  void sealedMeansNothingMore() {
    try (Scope run = scope();
        Scope child = run.child("batch")) {
      run.seal();
      assertThatThrownBy(() -> run.allocate("late", DType.F32, 1))
          .isInstanceOf(ScopeException.class)
          .hasMessageContaining("sealed")
          .hasMessageContaining("late");
      assertThatThrownBy(() -> child.allocate("late", DType.F32, 1))
          .isInstanceOf(ScopeException.class)
          .hasMessageContaining("sealed");
    }
  }

  @Test
  void aChildLeftOpenIsNamed() {
    Scope run = scope();
    Scope child = run.child("batch");
    assertThatThrownBy(run::close)
        .isInstanceOf(ScopeException.class)
        .hasMessageContaining("run.batch");
    child.close();
    run.close();
  }

  @Test
  void closesOnceAndThenGivesNothing() {
    Scope run = scope();
    Tensor t = run.allocate("t", DType.F32, 1);
    run.close();
    assertThatThrownBy(run::close)
        .isInstanceOf(ScopeException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(() -> run.allocate("t", DType.F32, 1)).isInstanceOf(ScopeException.class);
    assertThatThrownBy(() -> t.getFloat(0)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void tabulatesByGroupLargestFirst() {
    try (Scope run = scope()) {
      run.allocate("adapters/q", DType.F32, 100);
      run.allocate("base/q", DType.U8, 1000);
      run.allocate("base/k", DType.U8, 500);
      assertThat(run.groups()).containsExactly(entry("base", 1500), entry("adapters", 400));
      assertThat(run.table()).contains("base", "adapters", "total");
    }
  }

  private static Map.Entry<String, Long> entry(String group, long bytes) {
    return Map.entry(group, bytes);
  }

  @Test
  void memoryIsZeroedAndAligned() {
    try (Scope run = scope()) {
      for (int n = 1; n < 20; n++) {
        Tensor t = run.allocate("t", DType.F32, n);
        assertThat(t.toFloats()).containsOnly(0f);
        assertThat(t.memory().address() % 64).isZero();
      }
    }
  }
}
