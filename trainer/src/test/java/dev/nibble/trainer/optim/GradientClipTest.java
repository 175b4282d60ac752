package dev.nibble.trainer.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.toy.ToyKernels;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class GradientClipTest {
  private final Kernels kernels = ToyKernels.open();
  private final Scope scope = Scope.open("test", Memory.host());
  private final Tensor gradients = scope.allocate("g", DType.F32, 2).put(3f, 4f);

  @AfterEach
  void close() {
    scope.close();
  }

  @Test
  void scalesLargeGradientsByPyTorchsFactor() {
    GradientClip clip = new GradientClip(kernels, 1, scope);

    assertThat(clip.apply(gradients)).isEqualTo(5);
    assertThat(gradients.getDouble(0)).isCloseTo(3 / (5 + 1e-6), within(1e-7));
    // The second norm starts from 0 again.
    assertThat(clip.apply(gradients)).isCloseTo(1, within(1e-6));
  }

  @Test
  void leavesSmallGradientsAlone() {
    assertThat(new GradientClip(kernels, 6, scope).apply(gradients)).isEqualTo(5);
    assertThat(gradients.toFloats()).containsExactly(3, 4);
  }

  @Test
  void measuresOnlyWhenThereIsNoLimit() {
    assertThat(new GradientClip(kernels, Double.POSITIVE_INFINITY, scope).apply(gradients))
        .isEqualTo(5);
    assertThat(gradients.toFloats()).containsExactly(3, 4);
  }

  @Test
  void givesANormThatIsNotFiniteToTheCaller() {
    gradients.put(Float.NaN, 4f);
    assertThat(new GradientClip(kernels, 1, scope).apply(gradients)).isNaN();
    assertThat(gradients.getFloat(1)).isEqualTo(4);
  }

  @Test
  void refusesALimitThatIsNone() {
    assertThatThrownBy(() -> new GradientClip(kernels, 0, scope)).hasMessageContaining("above 0");
  }
}
