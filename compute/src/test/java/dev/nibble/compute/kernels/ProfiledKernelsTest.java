package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.kernels.KernelOptions.Debug;
import dev.nibble.compute.kernels.KernelTimes.KernelTime;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Dense;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Times of operations on the host, with the reference's kernels. */
final class ProfiledKernelsTest {
  private final Kernels kernels =
      ProfiledKernels.where(
          KernelOptions.exact(1).debugging(Debug.PROFILE), new ReferenceKernels());
  private final KernelProfile profile = kernels.profile().orElseThrow();
  private final Scope scope = Scope.open("test", kernels.memory());

  @AfterEach
  void close() {
    scope.close();
    kernels.close();
  }

  private Tensor tensor(String name, long... dims) {
    return scope.allocate(name, DType.F32, dims);
  }

  @Test
  void theSameSetWhereNoneIsAskedFor() {
    try (Kernels reference = new ReferenceKernels()) {
      assertThat(ProfiledKernels.where(KernelOptions.exact(1), reference)).isSameAs(reference);
      assertThat(reference.profile()).isEmpty();
    }
  }

  @Test
  void linearMapsByShape() {
    Tensor out = tensor("out", 2, 3);
    Tensor x = tensor("x", 2, 5);
    Tensor weight = tensor("w", 3, 5);
    profile.start();
    kernels.products().linearForward(out, x, weight);
    kernels.products().linearForwardAdd(out, x, weight, 1);
    kernels.products().linearBackward(x, out, weight, 1);
    kernels.products().linearBackwardWeight(weight, out, x, 1);
    kernels.products().frozenForward(out, x, new Dense(weight));
    kernels.products().frozenBackward(x, out, new Dense(weight));
    List<KernelTime> times = profile.stop().kernels();
    assertThat(times)
        .extracting(KernelTime::name)
        .containsExactlyInAnyOrder(
            "linearForward [N, 3, 5]",
            "linearForwardAdd [N, 3, 5]",
            "linearBackward [N, 3, 5]",
            "linearBackwardWeight [N, 3, 5]",
            "frozenForward [N, 3, 5]",
            "frozenBackward [N, 3, 5]");
    assertThat(times).allMatch(t -> t.operations() == 2 * 2 * 3 * 5 && t.calls() == 1);
    assertThat(times).allMatch(t -> t.bytes() == 4 * (2 * 3 + 2 * 5 + 3 * 5));
  }

  @Test
  void theLongestComesFirstAndGapsAreApart() throws InterruptedException {
    Tensor small = tensor("small", 1);
    Tensor large = tensor("large", 4 << 20);
    kernels.pointwise().add(large, large, large);
    profile.start();
    kernels.moving().fill(small, 1);
    Thread.sleep(20);
    kernels.pointwise().add(large, large, large);
    KernelTimes times = profile.stop();
    assertThat(times.kernels()).extracting(KernelTime::name).containsExactly("add", "fill");
    assertThat(times.gaps()).isGreaterThan(0.02);
    assertThat(times.seconds())
        .isCloseTo(
            times.gaps() + times.kernels().stream().mapToDouble(KernelTime::seconds).sum(),
            within(1e-9));
  }

  @Test
  void anErrorIsTheOperations() {
    profile.start();
    assertThatThrownBy(() ->
            kernels.products().linearForward(tensor("o", 1, 1), tensor("x", 3), tensor("w", 2, 2)))
        .isInstanceOf(RuntimeException.class)
        .hasNoCause();
  }

  @Test
  void shareOfWhatTheMachineCan() {
    Roofline peak = new Roofline(1e9, 1e8);
    assertThat(new KernelTime("product", 1, 2, 1e8, 1e9).share(peak)).isEqualTo(0.5);
    assertThat(new KernelTime("copy", 1, 4, 1e8, 0).share(peak)).isEqualTo(0.25);
  }

  @Test
  void attentionWithAWindowAndToAllKeys() {
    Tensor q = tensor("q", 8, 2, 4);
    Tensor segments = scope.allocate("segments", DType.I32, 2, 4);
    double all = MatrixOperations.ofAttention(q, q, segments, AttentionRule.bidirectional(1), 1);
    assertThat(all).isEqualTo(2 * 8 * 4 * 8);
    double causal = MatrixOperations.ofAttention(q, q, segments, AttentionRule.causal(1), 1);
    assertThat(causal).isEqualTo(all / 2);
    double window = MatrixOperations.ofAttention(q, q, segments, new AttentionRule(1, 1, 0), 1);
    assertThat(window).isEqualTo(all / 4);
  }
}
