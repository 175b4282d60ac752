package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.ScopeException;
import dev.nibble.compute.tensor.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Memory that Java cannot touch, and the copies there and back. */
final class DistantKernelsTest {
  private final DistantKernels kernels = DistantKernels.ofReference(DType.BF16);
  private final Scope far = Scope.open("far", kernels.memory());
  private final Scope host = Scope.open("host", Memory.host());

  @AfterEach
  void close() {
    far.close();
    host.close();
    kernels.close();
  }

  @Test
  void javaCannotTouchATensorFarAway() {
    Tensor t = far.allocate("weights/q", DType.F32, 2, 3);
    String message = "weights/q[2, 3] lies on " + t.device() + "; copy it to the host first";
    for (Runnable touch :
        new Runnable[] {
          () -> t.getFloat(0), t::toFloats, () -> t.put(1f), () -> t.slice(1, 2).setFloat(0, 1)
        }) {
      assertThatThrownBy(touch::run)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("weights/q")
          .hasMessageEndingWith("; copy it to the host first");
    }
    assertThatThrownBy(t::toFloats).hasMessage(message);
    assertThat(t.memory().byteSize()).isZero();
  }

  @Test
  void aMirrorGoesThereAndBack() {
    HostAndDevice mirror = HostAndDevice.allocate(far, "m", DType.F32, 4);
    assertThat(far.bytes()).isEqualTo(16); // the host's side does not count
    mirror.host().put(1f, 2, 3, 4);
    mirror.part(1, 2).toDevice(kernels);
    kernels.pointwise().scale(mirror.tensor(), 10);
    assertThat(mirror.host().toFloats()).containsExactly(1f, 2, 3, 4);
    assertThat(mirror.prefix(3).toHost(kernels).toFloats()).containsExactly(0f, 20, 30);
    assertThat(mirror.host().toFloats()).containsExactly(0f, 20, 30, 4);
    assertThat(kernels.waits()).isEqualTo(1);
  }

  @Test
  void onTheHostAMirrorIsOneTensor() {
    HostAndDevice mirror = HostAndDevice.allocate(host, "m", DType.I32, 2);
    assertThat(mirror.host()).isSameAs(mirror.tensor());
    assertThat(mirror.put(kernels, 3, 4).tensor().toInts()).containsExactly(3, 4);
    assertThat(mirror.toHost(kernels)).isSameAs(mirror.tensor());
  }

  @Test
  void aSealedScopeGivesNoHostMemoryEither() {
    far.seal();
    assertThatThrownBy(() -> far.allocateOnHost("late", DType.F32, 1))
        .isInstanceOf(ScopeException.class)
        .hasMessageContaining("late");
  }

  @Test
  void valuesAreRoundedOnTheWay() {
    Tensor t = far.allocate("t", DType.BF16, 2);
    TensorValues.put(kernels, t, 1 + 0x1p-9f, -3);
    assertThat(TensorValues.of(kernels, t)).containsExactly(1f, -3);
    Tensor near = host.allocate("t", DType.BF16, 2);
    TensorValues.put(kernels, near, 1 + 0x1p-9f, -3);
    assertThat(TensorValues.of(kernels, near)).containsExactly(1f, -3);
  }

  @Test
  void onlyItsOwnTensorsWithinTheirAllocation() {
    Tensor own = far.allocate("own", DType.F32, 2);
    Tensor near = host.allocate("near", DType.F32, 2);
    assertThatThrownBy(() -> kernels.pointwise().add(own, own, near)).hasMessageContaining("near");
    Kernels others = DistantKernels.ofReference(DType.F32);
    assertThatThrownBy(() -> others.pointwise().scale(own, 2))
        .hasMessageContaining("own F32[2] on cuda:");
    Tensor beyond =
        new Tensor("beyond", DType.F32, own.shape(), own.device(), own.memory(), Float.BYTES);
    assertThatThrownBy(() -> kernels.pointwise().scale(beyond, 2))
        .hasMessageContaining("ends behind");
  }

  @Test
  void nothingOutlivesItsScope() {
    Scope brief = far.child("brief");
    Tensor t = brief.allocate("t", DType.F32, 2);
    brief.close();
    assertThatThrownBy(() -> kernels.moving().fill(t, 1)).isInstanceOf(IllegalStateException.class);
  }
}
