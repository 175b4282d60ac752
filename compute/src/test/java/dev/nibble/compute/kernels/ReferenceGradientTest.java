package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.TiledMatrix;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Checks each backward of the reference against central differences of its forward, in float64: for
 * L = sum(dout * out), dL/dx[i] = (L(x[i] + h) - L(x[i] - h)) / 2h.
 */
class ReferenceGradientTest {
  private static final double H = 1e-6;

  private final Kernels k = new ReferenceKernels();
  private final Scope scope = Scope.open("test", Memory.host());
  private final Random random = new Random(7);

  @AfterEach
  void close() {
    scope.close();
  }

  private Tensor normal(long... dims) {
    Tensor t = zeros(dims);
    for (long i = 0; i < t.elements(); i++) {
      t.setFloat(i, random.nextGaussian());
    }
    return t;
  }

  private Tensor zeros(long... dims) {
    return scope.allocate("t", DType.F64, dims);
  }

  private Tensor ints(int... values) {
    return scope.allocate("i", DType.I32, values.length).put(values);
  }

  private static double dot(Tensor a, Tensor b) {
    double sum = 0;
    for (long i = 0; i < a.elements(); i++) {
      sum += a.getDouble(i) * b.getDouble(i);
    }
    return sum;
  }

  /**
   * Demands that dx is the gradient of sum(dout * out) with respect to x, where forward fills out.
   */
  private static void check(Tensor dx, Tensor x, Tensor dout, Tensor out, Runnable forward) {
    for (long i = 0; i < x.elements(); i++) {
      double at = x.getDouble(i);
      x.setFloat(i, at + H);
      forward.run();
      double above = dot(dout, out);
      x.setFloat(i, at - H);
      forward.run();
      double below = dot(dout, out);
      x.setFloat(i, at);
      assertThat(dx.getDouble(i))
          .as("element %d", i)
          .isCloseTo((above - below) / (2 * H), within(1e-7));
    }
  }

  @Test
  void gatherRows() {
    Tensor table = normal(4, 3);
    Tensor rows = ints(2, 0, 2, 3, 2);
    Tensor out = zeros(5, 3);
    Tensor dout = normal(5, 3);
    Tensor dtable = zeros(4, 3);
    k.moving().gatherRowsBackward(dtable, dout, rows);
    check(dtable, table, dout, out, () -> k.moving().gatherRowsForward(out, table, rows));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1})
  void rmsNorm(double offset) {
    Tensor x = normal(3, 7);
    Tensor weight = normal(7);
    Tensor out = zeros(3, 7);
    Tensor rstd = zeros(3);
    Tensor dout = normal(3, 7);
    Tensor dx = zeros(3, 7);
    Tensor dweight = zeros(7);
    Runnable forward = () -> k.norms().rmsNormForward(out, rstd, x, weight, offset, 1e-5);
    forward.run();
    k.norms().rmsNormBackward(dx, dout, x, rstd, weight, offset);
    k.norms().rmsNormBackwardWeight(dweight, dout, x, rstd);
    check(dx, x, dout, out, forward);
    check(dweight, weight, dout, out, forward);
  }

  @Test
  void layerNorm() {
    Tensor x = normal(3, 7);
    Tensor weight = normal(7);
    Tensor bias = normal(7);
    Tensor out = zeros(3, 7);
    Tensor mean = zeros(3);
    Tensor rstd = zeros(3);
    Tensor dout = normal(3, 7);
    Tensor dx = zeros(3, 7);
    Tensor dweight = zeros(7);
    Tensor dbias = zeros(7);
    Runnable forward = () -> k.norms().layerNormForward(out, mean, rstd, x, weight, bias, 1e-5);
    forward.run();
    k.norms().layerNormBackward(dx, dout, x, mean, rstd, weight);
    k.norms().layerNormBackwardWeight(dweight, dout, x, mean, rstd);
    k.products().biasBackward(dbias, dout);
    check(dx, x, dout, out, forward);
    check(dweight, weight, dout, out, forward);
    check(dbias, bias, dout, out, forward);
  }

  @Test
  void columns() {
    Tensor x = normal(3, 7);
    Tensor out = zeros(3, 2);
    Tensor dout = normal(3, 2);
    Tensor dx = zeros(3, 7);
    k.moving().columnsBackward(dx, dout, 4);
    check(dx, x, dout, out, () -> k.moving().columnsForward(out, x, 4));
  }

  @Test
  void rope() {
    Tensor x = normal(3, 2, 7);
    Tensor angles = normal(5, 3);
    Tensor cos = zeros(5, 3);
    Tensor sin = zeros(5, 3);
    for (int i = 0; i < 15; i++) {
      cos.setFloat(i, Math.cos(angles.getDouble(i)));
      sin.setFloat(i, Math.sin(angles.getDouble(i)));
    }
    Tensor positions = ints(4, 0, 2);
    Tensor out = zeros(3, 2, 7);
    Tensor dout = normal(3, 2, 7);
    Tensor dx = zeros(3, 2, 7);
    k.moving().copy(dx, dout);
    k.norms().ropeBackward(dx, cos, sin, positions);
    check(
        dx,
        x,
        dout,
        out,
        () -> {
          k.moving().copy(out, x);
          k.norms().ropeForward(out, cos, sin, positions);
        });
  }

  static Stream<AttentionRule> rules() {
    return Stream.of(
        AttentionRule.causal(0.6), new AttentionRule(0.6, 2, 0), new AttentionRule(0.6, 3, 1.5));
  }

  @ParameterizedTest
  @MethodSource("rules")
  void attention(AttentionRule rule) {
    Tensor q = normal(6, 4, 3);
    Tensor key = normal(6, 2, 3);
    Tensor v = normal(6, 2, 3);
    Tensor segments = ints(0, 4, 0, 4, 4, 2, 4, 2).reshape(2, 4);
    Tensor out = zeros(6, 4, 3);
    Tensor lse = zeros(6, 4);
    Tensor dout = normal(6, 4, 3);
    Tensor dq = zeros(6, 4, 3);
    Tensor dk = zeros(6, 2, 3);
    Tensor dv = zeros(6, 2, 3);
    Runnable forward = () -> k.attention().attentionForward(out, lse, q, key, v, segments, rule);
    forward.run();
    k.attention().attentionBackward(dq, dk, dv, dout, out, lse, q, key, v, segments, rule);
    check(dq, q, dout, out, forward);
    check(dk, key, dout, out, forward);
    check(dv, v, dout, out, forward);
  }

  @Test
  void linearAndBias() {
    Tensor x = normal(3, 5);
    Tensor weight = normal(4, 5);
    Tensor bias = normal(4);
    Tensor out = zeros(3, 4);
    Tensor dout = normal(3, 4);
    Tensor dx = zeros(3, 5);
    Tensor dweight = zeros(4, 5);
    Tensor dbias = zeros(4);
    k.products().linearBackward(dx, dout, weight, 0.7);
    k.products().linearBackwardWeight(dweight, dout, x, 0.7);
    k.products().biasBackward(dbias, dout);
    Runnable forward =
        () -> {
          k.moving().fill(out, 0);
          k.products().linearForwardAdd(out, x, weight, 0.7);
          k.products().biasForward(out, bias);
        };
    check(dx, x, dout, out, forward);
    check(dweight, weight, dout, out, forward);
    check(dbias, bias, dout, out, forward);
  }

  @Test
  void frozen() {
    TiledMatrix weight =
        new SampleMatrices(new Random(3)).codebook(SampleMatrices.NF4, false, 6, 5, 16);
    Tensor x = normal(3, 5);
    Tensor out = zeros(3, 6);
    Tensor dout = normal(3, 6);
    Tensor dx = zeros(3, 5);
    k.products().frozenBackward(dx, dout, weight);
    check(dx, x, dout, out, () -> k.products().frozenForward(out, x, weight));
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void gated(Activation a) {
    Tensor gate = normal(12);
    Tensor up = normal(12);
    Tensor out = zeros(12);
    Tensor dout = normal(12);
    Tensor dgate = zeros(12);
    Tensor dup = zeros(12);
    k.pointwise().gatedBackward(dgate, dup, dout, gate, up, a);
    check(dgate, gate, dout, out, () -> k.pointwise().gatedForward(out, gate, up, a));
    check(dup, up, dout, out, () -> k.pointwise().gatedForward(out, gate, up, a));
  }

  @ParameterizedTest
  @EnumSource(Gelu.class)
  void gelu(Gelu form) {
    Tensor x = normal(12);
    Tensor out = zeros(12);
    Tensor dout = normal(12);
    Tensor dx = zeros(12);
    k.pointwise().geluBackward(dx, dout, x, form);
    check(dx, x, dout, out, () -> k.pointwise().geluForward(out, x, form));
  }

  @Test
  void softCap() {
    Tensor x = normal(12);
    Tensor out = zeros(12);
    Tensor dout = normal(12);
    Tensor dx = zeros(12);
    Runnable forward =
        () -> {
          k.moving().copy(out, x);
          k.pointwise().softCapForward(out, 0.8);
        };
    forward.run();
    k.moving().copy(dx, dout);
    k.pointwise().softCapBackward(dx, out, 0.8);
    check(dx, x, dout, out, forward);
  }

  @Test
  void dropout() {
    Tensor x = normal(12);
    Tensor out = zeros(12);
    Tensor dout = normal(12);
    Tensor dx = zeros(12);
    k.pointwise().dropoutBackward(dx, dout, 0.4, 3);
    check(dx, x, dout, out, () -> k.pointwise().dropoutForward(out, x, 0.4, 3));
  }

  @Test
  void crossEntropy() {
    Tensor logits = normal(3, 6);
    Tensor targets = ints(5, 0, 2);
    Tensor loss = zeros(3);
    Tensor lse = zeros(3);
    Tensor scales = zeros(3).put(0.5f, 0, -2);
    Tensor dlogits = zeros(3, 6);
    k.loss().crossEntropyForward(loss, lse, logits, targets);
    k.loss().crossEntropyBackward(dlogits, lse, logits, targets, scales);
    check(
        dlogits,
        logits,
        scales,
        loss,
        () -> k.loss().crossEntropyForward(loss, lse, logits, targets));
  }
}
