package dev.nibble.compute.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TensorTest {
  private final Scope scope = Scope.open("test", Memory.host());

  @AfterEach
  void close() {
    scope.close();
  }

  private Tensor counting(long... dims) {
    Tensor t = scope.allocate("t", DType.F32, dims);
    for (long i = 0; i < t.elements(); i++) {
      t.setFloat(i, (double) i);
    }
    return t;
  }

  @Test
  void viewsShareMemory() {
    Tensor t = counting(4, 3);
    t.slice(1, 3).put(-1f);
    assertThat(t.getFloat(3)).isEqualTo(-1);
    assertThat(t.slice(1, 3).shape()).isEqualTo(Shape.of(2, 3));
    assertThat(t.reshape(2, 6).getFloat(7)).isEqualTo(7);
    assertThat(t.prefix(5).toFloats()).containsExactly(0, 1, 2, -1, 4);
    assertThat(t.part(4, 2, 2).toFloats()).containsExactly(4, 5, 6, 7);
    assertThat(t.named("other").memory()).isEqualTo(t.memory());
  }

  @Test
  void rowsAndColumnsOfAnyRank() {
    assertThat(counting(2, 3, 4).rows()).isEqualTo(6);
    assertThat(counting(2, 3, 4).cols()).isEqualTo(4);
    assertThat(counting(5).rows()).isEqualTo(1);
    assertThat(counting().cols()).isEqualTo(1);
    assertThat(counting(0, 3).slice(0, 0).elements()).isZero();
  }

  @Test
  void viewsStayInside() {
    Tensor t = counting(4, 3);
    assertThatThrownBy(() -> t.slice(1, 5))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessageContaining("[1, 5)");
    assertThatThrownBy(() -> t.slice(2, 1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> t.part(10, 3)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> t.reshape(5, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[5, 2]");
  }

  @Test
  void memoryMustFit() {
    MemorySegment eight = MemorySegment.ofArray(new byte[8]);
    assertThatThrownBy(() -> Tensor.onHost("t", DType.F32, Shape.of(3), eight))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("12 bytes")
        .hasMessageContaining("8");
  }

  @Test
  void elementsOfEveryType() {
    for (DType dtype : DType.values()) {
      Tensor t = scope.allocate("t", dtype, 3);
      if (dtype.isFloating()) {
        t.setFloat(1, -1.5);
        assertThat(t.getDouble(1)).isEqualTo(-1.5);
        assertThatThrownBy(() -> t.getLong(1)).isInstanceOf(IllegalArgumentException.class);
      } else {
        t.setLong(1, 1);
        assertThat(t.getFloat(1)).isEqualTo(1);
        assertThatThrownBy(() -> t.setFloat(1, 1)).isInstanceOf(IllegalArgumentException.class);
      }
    }
    Tensor bytes = scope.allocate("bytes", DType.U8, 1).put(200);
    assertThat(bytes.getInt(0)).isEqualTo(200);
  }

  @Test
  void shapesRefuseWhatIsNoSize() {
    assertThatThrownBy(() -> Shape.of(2, -1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Shape.of(1L << 40, 1L << 40)).isInstanceOf(ArithmeticException.class);
    assertThat(Shape.of(2, 3)).isEqualTo(Shape.of(2, 3)).hasToString("[2, 3]");
    assertThat(Shape.of(2, 3).dim(-1)).isEqualTo(3);
  }
}
