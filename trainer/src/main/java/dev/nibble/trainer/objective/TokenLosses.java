package dev.nibble.trainer.objective;

import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.HostAndDevice;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;

/**
 * The cross-entropy of a batch's supervised tokens, -log p(target) each, in the order of the batch;
 * and a scale for the gradient of each, 1 at first.
 */
final class TokenLosses {
  private final Kernels kernels;
  private final HostAndDevice targets; // I32 [N]
  private final HostAndDevice losses; // F32 [N]
  private final HostAndDevice scales; // F32 [N]
  private final Tensor lse; // [N]
  private int[] positions = {}; // [M], of the supervised tokens
  private int[] samples = {}; // [M], which sample each is in

  TokenLosses(Kernels kernels, Scope scope, int maxTokens) {
    Buffers buffers = Buffers.of(kernels, scope);
    this.kernels = kernels;
    this.targets = buffers.indices("logits/targets", maxTokens);
    this.losses = HostAndDevice.allocate(scope, "logits/loss", DType.F32, maxTokens);
    this.scales = HostAndDevice.allocate(scope, "logits/scales", DType.F32, maxTokens);
    this.lse = buffers.statistic("logits/lse", maxTokens);
    kernels.moving().fill(scales.tensor(), 1);
  }

  /** Takes the positions that have a target. */
  void supervise(Batch batch) {
    positions = new int[batch.supervisedTokens()];
    samples = new int[positions.length];
    int count = 0;
    for (int s = 0; s < batch.samples(); s++) {
      for (int i = batch.starts()[s]; i < batch.starts()[s + 1]; i++) {
        if (batch.targets()[i] != Batch.IGNORE) {
          targets.host().setLong(count, batch.targets()[i]);
          samples[count] = s;
          positions[count++] = i;
        }
      }
    }
    targets.prefix(count).toDevice(kernels);
  }

  /** Computes the losses. */
  void evaluate(Outputs outputs) {
    outputs.read(positions, this::forward);
  }

  /** Computes the losses, and adds the gradient of their scaled sum. */
  void accumulate(Outputs outputs) {
    outputs.accumulate(
        positions,
        (dlogits, from, logits) -> {
          forward(from, logits);
          kernels
              .loss()
              .crossEntropyBackward(
                  dlogits,
                  rows(lse, from, logits),
                  logits,
                  rows(targets.tensor(), from, logits),
                  rows(scales.tensor(), from, logits));
        });
  }

  private void forward(int from, Tensor logits) {
    kernels
        .loss()
        .crossEntropyForward(
            rows(losses.tensor(), from, logits),
            rows(lse, from, logits),
            logits,
            rows(targets.tensor(), from, logits));
  }

  private static Tensor rows(Tensor all, int from, Tensor logits) {
    return all.part(from, logits.rows());
  }

  /** Scales the gradients of each sample's tokens. */
  void scaleSamples(double[] factors) {
    for (int i = 0; i < samples.length; i++) {
      scales.host().setFloat(i, factors[samples[i]]);
    }
    scales.prefix(samples.length).toDevice(kernels);
  }

  /** The sum of the losses; the one time that the host waits for a pass. */
  LossSum sum() {
    Tensor host = losses.prefix(positions.length).toHost(kernels);
    double sum = 0;
    for (int i = 0; i < positions.length; i++) {
      sum += host.getFloat(i);
    }
    return new LossSum(sum, positions.length);
  }

  /** The sum of each sample's losses, for a batch of so many. */
  double[] sumsOfSamples(int count) {
    Tensor host = losses.prefix(positions.length).toHost(kernels);
    double[] sums = new double[count];
    for (int i = 0; i < positions.length; i++) {
      sums[samples[i]] += host.getFloat(i);
    }
    return sums;
  }
}
