package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The conversion of an adapter whose initialisation changed the base weights to plain LoRA on the
 * base as it was: what was learned is s (B A - B0 A0) = s B' A' with A' = [A; A0] and B' = [B,
 * -B0], of twice the rank.
 */
final class ConvertedLora {
  private final Scope scope = Scope.open("converted LoRA", Memory.host());
  private final Parameters parameters;
  private final Kernels kernels;

  private ConvertedLora(Parameters parameters, Kernels kernels) {
    this.parameters = parameters;
    this.kernels = kernels;
  }

  /** The conversion; {@code parameters}: those of the adapter, which know their start. */
  static SavedAdapter of(LoraSpec spec, Parameters parameters, Kernels kernels) {
    LoraSpec plain = spec.withRanks(spec.ranks().doubled()).withStart(new LoraStart.Zero());
    ConvertedLora converted = new ConvertedLora(parameters, kernels);
    return new SavedAdapter(plain, converted.tensors(), converted.scope);
  }

  private Map<String, Tensor> tensors() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (Parameter p : parameters.all()) {
      Optional<String> part =
          PeftNames.parse(p.name(), LoraNames.SUFFIXES).map(PeftNames.Parsed::suffix);
      tensors.put(
          p.name(),
          switch (part.orElse("")) {
            case LoraNames.A -> below(p);
            case LoraNames.B -> beside(p);
            default -> p.weight();
          });
    }
    return tensors;
  }

  private Tensor below(Parameter a) {
    float[] values = TensorValues.of(kernels, a.weight());
    float[] start = TensorValues.of(kernels, parameters.start(a));
    Tensor both = scope.allocate(a.name(), DType.F32, 2 * a.weight().rows(), a.weight().cols());
    both.part(0, values.length).put(values);
    both.part(values.length, start.length).put(start);
    return both;
  }

  private Tensor beside(Parameter b) {
    int rows = Math.toIntExact(b.weight().rows());
    int rank = Math.toIntExact(b.weight().cols());
    float[] values = TensorValues.of(kernels, b.weight());
    float[] start = TensorValues.of(kernels, parameters.start(b));
    float[] both = new float[2 * values.length];
    for (int o = 0; o < rows; o++) {
      for (int k = 0; k < rank; k++) {
        both[2 * rank * o + k] = values[rank * o + k];
        both[2 * rank * o + rank + k] = -start[rank * o + k];
      }
    }
    return scope.allocate(b.name(), DType.F32, rows, 2L * rank).put(both);
  }
}
