package dev.nibble.compute.kernels;

import dev.nibble.compute.kernels.cpu.CpuKernelSet;
import dev.nibble.compute.tensor.DType;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Segments with more keys than the {@code cpu} set's backward sums in scratch at once. */
final class CpuAttentionStripsTest extends KernelCases {
  /** Of heads this large, scratch takes the gradients of 64 keys. */
  private static final int SIZE = 4096;

  private static final int TOKENS = 80;

  CpuAttentionStripsTest() {
    super(() -> new CpuKernelSet().open(KernelOptions.exact(2)), DType.F32);
  }

  @Test
  void attentionBackward() {
    for (DType dtype : List.of(DType.F32, DType.BF16)) {
      for (int window : new int[] {0, 30}) {
        backward(dtype, new AttentionRule(1 / Math.sqrt(SIZE), window, 0));
      }
    }
  }

  private void backward(DType dtype, AttentionRule rule) {
    try (Trial t = new Trial(kernels(), dtype, 1)) {
      var q = t.normal("q", TOKENS, 2, SIZE);
      var k = t.normal("k", TOKENS, 1, SIZE);
      var v = t.normal("v", TOKENS, 1, SIZE);
      var segments = t.input("segments", DType.I32, 1, 4);
      segments.get().put(0, TOKENS, 0, TOKENS);
      var out = t.input("out", TOKENS, 2, SIZE);
      var lse = t.input("lse", DType.F32, TOKENS, 2);
      new ReferenceKernels()
          .attention()
          .attentionForward(out.get(), lse.get(), q.get(), k.get(), v.get(), segments.get(), rule);
      var dout = t.normal("dout", TOKENS, 2, SIZE);
      Tolerance tolerance = Tolerance.ofSum(SIZE + TOKENS).ofTermsLike(4);
      var dq = t.gradient("dq", TOKENS, 2, SIZE).within(tolerance);
      var dk = t.gradient("dk", TOKENS, 1, SIZE).within(tolerance);
      var dv = t.gradient("dv", TOKENS, 1, SIZE).within(tolerance);
      t.run(on ->
          on.attention()
              .attentionBackward(
                  dq.get(),
                  dk.get(),
                  dv.get(),
                  dout.get(),
                  out.get(),
                  lse.get(),
                  q.get(),
                  k.get(),
                  v.get(),
                  segments.get(),
                  rule));
    }
  }
}
