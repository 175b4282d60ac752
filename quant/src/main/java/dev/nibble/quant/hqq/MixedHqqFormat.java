package dev.nibble.quant.hqq;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.CheckpointLayout;
import dev.nibble.quant.ModuleTensors;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.regex.Pattern;
import tools.jackson.databind.node.ObjectNode;

/**
 * HQQ with settings of its own for each weight, as checkpoints have it that were quantised with one
 * configuration for each kind of linear map.
 *
 * @param weights by name
 */
public record MixedHqqFormat(Map<String, Stored> weights) implements WeightFormat {
  /** What stands before the kind of a linear map in its name. */
  private static final Pattern LAYER = Pattern.compile(".*\\.\\d+\\.");

  /** A weight's size [O, I] and settings. */
  public record Stored(Shape shape, HqqFormat format) {}

  /** Takes a copy of the map. */
  public MixedHqqFormat {
    weights = Collections.unmodifiableMap(new LinkedHashMap<>(weights));
  }

  private HqqFormat of(String weight) {
    Stored stored = weights.get(weight);
    if (stored == null) {
      throw new UnusableWeight(
          "tensor '%s' has no settings of HQQ in this checkpoint".formatted(weight));
    }
    return stored.format();
  }

  @Override
  public String name() {
    return "hqq-mixed";
  }

  @Override
  public String describe() {
    return layout().summary();
  }

  @Override
  public double bitsPerWeight() {
    double bits = 0;
    double elements = 0;
    for (Stored s : weights.values()) {
      bits += s.format().bitsPerWeight() * s.shape().elements();
      elements += s.shape().elements();
    }
    return bits / elements;
  }

  @Override
  public Allocator allocator(Kernels kernels, Scope scope) {
    return (name, rows, cols) -> of(name).allocator(kernels, scope).allocate(name, rows, cols);
  }

  /** By the settings of the matrix: of a format, only whether to optimise counts here. */
  @Override
  public void encode(Kernels kernels, FrozenMatrix out, Tensor in) {
    weights.values().iterator().next().format().encode(kernels, out, in);
  }

  @Override
  public CheckpointLayout layout() {
    return new Layout();
  }

  /** Each weight as {@link HqqLayout} stores it, and a configuration for each kind. */
  private final class Layout implements CheckpointLayout {
    @Override
    public Optional<List<TensorInfo>> tensors(String weight, Shape shape, DType before) {
      return of(weight).layout().tensors(weight, shape, before);
    }

    @Override
    public SequencedMap<String, Tensor> tensors(String weight, FrozenMatrix matrix, DType before) {
      return of(weight).layout().tensors(weight, matrix, before);
    }

    @Override
    public ObjectNode config(DType compute, List<String> skipped) {
      Map<String, HqqFormat> kinds = new LinkedHashMap<>();
      weights.forEach((weight, stored) -> {
        String kind = LAYER.matcher(ModuleTensors.module(weight)).replaceFirst("");
        HqqFormat other = kinds.putIfAbsent(kind, stored.format());
        if (other != null && !other.equals(stored.format())) {
          throw new UnusableWeight(
              "'%s' is in %s in one layer and in %s in another; config.json has one configuration for all layers"
                  .formatted(kind, other, stored.format()));
        }
      });
      return HqqLayout.config(kinds, skipped);
    }

    @Override
    public String summary() {
      return HqqLayout.summary(weights.values().stream().map(Stored::format).toList());
    }
  }
}
