package dev.nibble.trainer.train;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.objective.Objective;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The search for the samples that make the loss or the gradient of a step NaN or infinite, and for
 * the tensor in which that begins. Each sample goes through the model by itself, so a search takes
 * a step's time or more; it overwrites the gradients.
 */
final class NonFiniteSearch {
  private static final int MOST_PLACES = 5;

  private final Kernels kernels;
  private final CausalLm model;
  private final Objective objective;

  NonFiniteSearch(Kernels kernels, CausalLm model, Objective objective) {
    this.kernels = kernels;
    this.model = model;
    this.objective = objective;
  }

  /** A sample by itself, and what is not finite then. */
  private record Culprit(Batch sample, String tensor) {}

  /**
   * What a search found.
   *
   * @param words the samples and the tensor, as the rest of a sentence
   * @param everySample whether no sample of the step can be learned from
   */
  record Finding(String words, boolean everySample) {}

  /**
   * Searches a step.
   *
   * @param batches of the step
   * @param seeds of their forward passes
   */
  Finding search(List<Batch> batches, List<Long> seeds) {
    List<Culprit> culprits = new ArrayList<>();
    int samples = 0;
    for (int b = 0; b < batches.size(); b++) {
      Batch batch = batches.get(b);
      int together = objective.samplesOfTerm();
      for (int s = 0; s < batch.samples(); s += together) {
        Batch part = batch.part(s, together);
        long seed = seeds.get(b);
        nonFinite(part, seed).ifPresent(tensor -> culprits.add(new Culprit(part, tensor)));
        samples++;
      }
    }
    if (culprits.isEmpty()) {
      return new Finding(
          "all its %d samples together, though not for any of them alone".formatted(samples),
          false);
    }
    boolean every = culprits.size() == samples;
    return new Finding(
        "%s of its %d samples (%s), first in %s"
            .formatted(
                every ? "all" : culprits.size(),
                samples,
                places(culprits),
                culprits.getFirst().tensor()),
        every);
  }

  private Optional<String> nonFinite(Batch sample, long seed) {
    model.parameters().zeroGradients(kernels);
    LossSum loss = model.accumulate(sample, seed, objective);
    if (!Double.isFinite(loss.sum())) {
      return Optional.of(model.firstNonFinite(sample).orElse("the loss"));
    }
    return model.parameters().all().stream()
        .filter(p -> !isFinite(p))
        .findFirst()
        .map(p -> "the gradient of " + p.name());
  }

  private boolean isFinite(Parameter p) {
    for (float g : TensorValues.of(kernels, p.gradient())) {
      if (!Float.isFinite(g)) {
        return false;
      }
    }
    return true;
  }

  private static String places(List<Culprit> culprits) {
    List<String> places = culprits.stream().flatMap(c -> c.sample().places().stream()).toList();
    String first = String.join("; ", places.subList(0, Math.min(MOST_PLACES, places.size())));
    return places.size() <= MOST_PLACES
        ? first
        : first + "; and %d more".formatted(places.size() - MOST_PLACES);
  }
}
