package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An IA3 adapter in memory. Its maps share buffers, since one runs at a time. */
final class Ia3Adapter implements Adapter {
  private final Ia3Spec spec;
  private final Map<String, Parameter> scales = new LinkedHashMap<>(); // l by module
  private final Tensor inputs; // [N, I]
  private final Tensor outputs; // [N, O]; empty where nothing trains

  Ia3Adapter(
      Ia3Spec spec,
      List<AdapterTarget> targets,
      Parameters parameters,
      Kernels kernels,
      Scope scope) {
    this.spec = spec;
    for (AdapterTarget t : targets) {
      Parameter l = parameters.named(Ia3Spec.scales(t.module()));
      kernels.moving().fill(l.weight(), 1);
      scales.put(t.module(), l);
    }
    Buffers buffers = Buffers.of(kernels, scope);
    long widestInput =
        AdapterTarget.largest(
            targets, t -> spec.scalesInput(t.module()) ? t.maxTokens() * t.inputs() : 0);
    long widestOutput =
        AdapterTarget.largest(
            targets, t -> spec.scalesInput(t.module()) ? 0 : t.maxTokens() * t.outputs());
    this.inputs = buffers.activation("scratch/ia3_inputs", widestInput);
    this.outputs = buffers.activation("scratch/ia3_outputs", parameters.train() ? widestOutput : 0);
  }

  @Override
  public boolean adapts(String module) {
    return scales.containsKey(module);
  }

  @Override
  public Projection on(String module, FrozenProjection base) {
    Parameter l = scales.get(module);
    if (l == null) {
      throw new IllegalArgumentException("the adapter is not on " + module);
    }
    return spec.scalesInput(module)
        ? new ScaledInputs(base, l, inputs)
        : new ScaledOutputs(base, l, outputs);
  }
}
