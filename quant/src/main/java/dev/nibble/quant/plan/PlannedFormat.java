package dev.nibble.quant.plan;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.CalibratedFormat;
import dev.nibble.quant.CheckpointLayout;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.named.FormatNames;
import dev.nibble.quant.named.UnknownFormat;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;

/**
 * A format of its own for each weight of a model.
 *
 * @param weights by name, in the order of the forward pass; one at least
 */
public record PlannedFormat(SequencedMap<String, Planned> weights) implements WeightFormat {

  /** A weight's size [O, I] and format. */
  public record Planned(Shape shape, WeightFormat format) {}

  /** Takes a copy of the map. */
  public PlannedFormat {
    if (weights.isEmpty()) {
      throw new IllegalArgumentException("a plan of no weights");
    }
    weights = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(weights));
  }

  /**
   * The format of a name that a plan may choose.
   *
   * @throws UnknownFormat when no format has it
   * @throws UnplannableFormat when it is that of weights as they are stored, or of a format that is
   *     fitted to data
   */
  public static WeightFormat candidate(String name) {
    WeightFormat format =
        FormatNames.parse(name)
            .orElseThrow(() ->
                new UnplannableFormat(
                    "%s is no format for a plan, which quantises every matrix".formatted(name)));
    if (format instanceof CalibratedFormat) {
      throw new UnplannableFormat(
          "%s is no format for a plan: it is fitted to data layer by layer, and a plan is made and loaded matrix by matrix"
              .formatted(name));
    }
    return format;
  }

  private Planned of(String weight) {
    Planned planned = weights.get(weight);
    if (planned == null) {
      throw new UnusableWeight("tensor '%s' has no format in the plan".formatted(weight));
    }
    return planned;
  }

  @Override
  public String name() {
    return "planned";
  }

  /** For example {@code 5 formats by plan, 3.500 bits a weight}. */
  @Override
  public String describe() {
    long formats = weights.values().stream().map(Planned::format).distinct().count();
    return String.format(
        Locale.ROOT,
        "%d format%s by plan, %.3f bits a weight",
        formats,
        formats == 1 ? "" : "s",
        bitsPerWeight());
  }

  @Override
  public double bitsPerWeight() {
    double bits = 0;
    double elements = 0;
    for (Planned p : weights.values()) {
      bits += p.format().bitsPerWeight() * p.shape().elements();
      elements += p.shape().elements();
    }
    return bits / elements;
  }

  @Override
  public Allocator allocator(Kernels kernels, Scope scope) {
    Map<WeightFormat, Allocator> allocators = new HashMap<>();
    weights
        .values()
        .forEach(p -> allocators.computeIfAbsent(p.format(), f -> f.allocator(kernels, scope)));
    return (name, rows, cols) -> {
      Planned weight = of(name);
      if (!weight.shape().equals(Shape.of(rows, cols))) {
        throw new UnusableWeight(
            "tensor '%s' is %s, and %s in the plan"
                .formatted(name, Shape.of(rows, cols), weight.shape()));
      }
      return Objects.requireNonNull(allocators.get(weight.format())).allocate(name, rows, cols);
    };
  }

  @Override
  public void encode(Kernels kernels, FrozenMatrix out, Tensor in) {
    of(in.name()).format().encode(kernels, out, in);
  }

  /**
   * There is none: files have one format for a model, or for each kind of linear map.
   *
   * @throws UnusableWeight always
   */
  @Override
  public CheckpointLayout layout() {
    throw new UnusableWeight(
        "%s: no checkpoint is stored in formats that differ from matrix to matrix"
            .formatted(describe()));
  }

  @Override
  public String toString() {
    return describe();
  }
}
