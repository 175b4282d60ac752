package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The suite finds the faults that kernels have in practice. */
class BrokenKernelsTest {

  private static <T extends KernelCases> void caught(T theme, Consumer<T> test, String... message) {
    theme.openSet();
    assertThatThrownBy(() -> test.accept(theme))
        .isInstanceOf(AssertionError.class)
        .message()
        .contains(message);
    theme.closeSet();
  }

  private static LinearConformance linear(ProductKernels broken) {
    return new LinearConformance(
        () ->
            new ReferenceKernels() {
              @Override
              public ProductKernels products() {
                return broken;
              }
            },
        DType.F32);
  }

  private static PointwiseConformance pointwise(PointwiseKernels broken) {
    return new PointwiseConformance(
        () ->
            new ReferenceKernels() {
              @Override
              public PointwiseKernels pointwise() {
                return broken;
              }
            },
        DType.F32);
  }

  private static OptimizerConformance optimizers(OptimizerKernels broken) {
    return new OptimizerConformance(
        () ->
            new ReferenceKernels() {
              @Override
              public OptimizerKernels optimizers() {
                return broken;
              }
            },
        DType.F32);
  }

  private static AttentionConformance attention(AttentionKernels broken) {
    return new AttentionConformance(
        () ->
            new ReferenceKernels() {
              @Override
              public AttentionKernels attention() {
                return broken;
              }
            },
        DType.F32);
  }

  /** Backward overwrites the gradient. */
  private static final class Overwriting extends ReferenceProductKernels {
    @Override
    public void linearBackward(Tensor dx, Tensor dout, Tensor weight, double scale) {
      new ReferenceMovingKernels().fill(dx, 0);
      super.linearBackward(dx, dout, weight, scale);
    }
  }

  @Test
  void overwritingAGradient() {
    caught(
        linear(new Overwriting()),
        LinearConformance::linearBackward,
        "reference: dx[",
        "reference says",
        "allowed error");
  }

  /** The elements after the last whole vector of 8 are forgotten. */
  private static final class WithoutTail extends ReferencePointwiseKernels {
    @Override
    public void gatedForward(Tensor out, Tensor gate, Tensor up, Activation a) {
      long n = out.elements() / 8 * 8;
      super.gatedForward(out.part(0, n), gate.part(0, n), up.part(0, n), a);
    }
  }

  @Test
  void aForgottenTail() {
    caught(pointwise(new WithoutTail()), PointwiseConformance::gatedForward, "out[", "is NaN");
  }

  /** An input is used as scratch. */
  private static final class Scribbling extends ReferenceProductKernels {
    @Override
    public void linearForward(Tensor out, Tensor x, Tensor weight) {
      super.linearForward(out, x, weight);
      new ReferencePointwiseKernels().scale(x, 2);
    }
  }

  @Test
  void aChangedInput() {
    caught(linear(new Scribbling()), LinearConformance::linearForward, "x[", "though an input");
  }

  /** The result depends on what was called before. */
  private static final class Moody extends ReferencePointwiseKernels {
    private int calls;

    @Override
    public void add(Tensor out, Tensor a, Tensor b) {
      super.add(out, a, b);
      scale(out, 1 + (calls++ % 2) * 0x1p-23);
    }
  }

  @Test
  void anotherResultTheSecondTime() {
    caught(pointwise(new Moody()), PointwiseConformance::add, "differs between two calls");
  }

  /** The mask of backward is another than forward's. */
  private static final class OtherMask extends ReferencePointwiseKernels {
    @Override
    public void dropoutBackward(Tensor dx, Tensor dout, double rate, long seed) {
      super.dropoutBackward(dx, dout, rate, seed + 1);
    }
  }

  @Test
  void anotherMaskInBackward() {
    caught(pointwise(new OtherMask()), PointwiseConformance::dropoutBackward, "dx[");
    caught(
        pointwise(new OtherMask()),
        PointwiseConformance::dropoutBackwardDrawsTheMaskOfForward,
        "bit for bit");
  }

  /** Sums in float32 where float64 is promised. */
  private static final class FloatSum extends ReferenceOptimizerKernels {
    @Override
    public void sumOfSquares(Tensor out, Tensor x) {
      float sum = 0;
      for (float f : x.toFloats()) {
        sum += f * f;
      }
      out.setFloat(0, out.getDouble(0) + sum);
    }
  }

  @Test
  void aSumInFloat32() {
    caught(optimizers(new FloatSum()), OptimizerConformance::sumOfSquares, "out[");
  }

  /** A window that is one key too long. */
  private static final class WiderWindow extends ReferenceAttentionKernels {
    @Override
    public void attentionForward(
        Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, Tensor segments, AttentionRule rule) {
      int window = rule.window() == 0 ? 0 : rule.window() + 1;
      AttentionRule wider = new AttentionRule(rule.scale(), window, rule.softCap());
      super.attentionForward(out, lse, q, k, v, segments, wider);
    }
  }

  /** Backward forgets that scores were capped. */
  private static final class UncappedBackward extends ReferencePointwiseKernels {
    @Override
    public void softCapBackward(Tensor dx, Tensor x, double cap) {}
  }

  @Test
  void aWindowOneTooLong() {
    caught(attention(new WiderWindow()), AttentionConformance::attentionForward, "out[");
  }

  @Test
  void aForgottenSoftCap() {
    caught(pointwise(new UncappedBackward()), PointwiseConformance::softCapBackward, "dx[");
  }
}
