package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * The suite that every kernel set must pass: extend this class and return the set from {@link
 * #open}. Each kernel is compared with {@link ReferenceKernels} at awkward sizes and hostile
 * values, see {@link Trial} and {@link Tolerance}.
 */
@SuppressWarnings("ClassCanBeStatic") // JUnit's nested tests are inner classes.
public abstract class KernelConformance {

  /** Opens the set under test; the suite closes it. */
  protected abstract Kernels open();

  /** The dtype of activations to test with: a set whose own is BF16 is tested with both. */
  protected DType activations() {
    return DType.F32;
  }

  /** Each kernel has a test of its own name; without one, this suite fails for every set. */
  @Test
  void everyKernelHasATest() {
    Set<String> kernels =
        Arrays.stream(Kernels.class.getMethods())
            .map(Method::getReturnType)
            .filter(KernelConformance::isTheme)
            .flatMap(theme -> Arrays.stream(theme.getMethods()))
            .map(Method::getName)
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> tests =
        Arrays.stream(KernelConformance.class.getDeclaredClasses())
            .map(Class::getSuperclass)
            .flatMap(theme -> Arrays.stream(theme.getDeclaredMethods()))
            .filter(m -> m.isAnnotationPresent(Test.class))
            .map(Method::getName)
            .collect(Collectors.toSet());
    assertThat(tests).as("tests named after kernels").containsAll(kernels);
  }

  private static boolean isTheme(Class<?> type) {
    return type.isInterface()
        && Arrays.stream(type.getMethods())
            .anyMatch(m -> Arrays.asList(m.getParameterTypes()).contains(Tensor.class));
  }

  @Nested
  class Moving extends MovingConformance {
    Moving() {
      super(KernelConformance.this::open, KernelConformance.this.activations());
    }
  }

  @Nested
  class Norms extends NormConformance {
    Norms() {
      super(KernelConformance.this::open, KernelConformance.this.activations());
    }
  }

  @Nested
  class Attention extends AttentionConformance {
    Attention() {
      super(KernelConformance.this::open, KernelConformance.this.activations());
    }
  }

  @Nested
  class Products extends LinearConformance {
    Products() {
      super(KernelConformance.this::open, KernelConformance.this.activations());
    }
  }

  @Nested
  class Weights extends WeightsConformance {
    Weights() {
      super(KernelConformance.this::open, KernelConformance.this.activations());
    }
  }

  @Nested
  class Pointwise extends PointwiseConformance {
    Pointwise() {
      super(KernelConformance.this::open, KernelConformance.this.activations());
    }
  }

  @Nested
  class Loss extends LossConformance {
    Loss() {
      super(KernelConformance.this::open, KernelConformance.this.activations());
    }
  }

  @Nested
  class Optimizers extends OptimizerConformance {
    Optimizers() {
      super(KernelConformance.this::open, KernelConformance.this.activations());
    }
  }
}
