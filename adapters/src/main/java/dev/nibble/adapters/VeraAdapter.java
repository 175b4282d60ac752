package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Constant;
import dev.nibble.adapters.VeraProjection.Scratch;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** A VeRA adapter in memory. */
final class VeraAdapter implements Adapter {
  private final VeraSpec spec;
  private final List<String> modules = new ArrayList<>();
  private final Parameters parameters;
  private final Tensor a; // A^T [I, r], of the most inputs
  private final Tensor b; // B [O, r], of the most outputs
  private final DropoutScratch dropout;
  private final Scratch scratch;

  VeraAdapter(
      VeraSpec spec,
      List<AdapterTarget> targets,
      Parameters parameters,
      Kernels kernels,
      Scope scope) {
    this.spec = spec;
    this.parameters = parameters;
    Constant sharedA = parameters.constant(VeraSpec.A);
    Constant sharedB = parameters.constant(VeraSpec.B);
    this.a = sharedA.values();
    this.b = sharedB.values();
    for (AdapterTarget t : targets) {
      modules.add(t.module());
      kernels
          .moving()
          .fill(
              parameters.named(PeftNames.of(t.module(), VeraSpec.LAMBDA_D)).weight(),
              spec.initial());
    }
    if (!kernels.memory().isPlanned()) {
      TorchRandom random = new TorchRandom(spec.projectionKey());
      sharedA.put(kernels, kaiming(random, a, a.rows()));
      sharedB.put(kernels, kaiming(random, b, b.cols()));
    }
    Buffers buffers = Buffers.of(kernels, scope);
    this.dropout = DropoutScratch.allocate(buffers, spec.dropout(), targets, parameters.train());
    this.scratch = Scratch.allocate(buffers, spec.rank(), targets);
  }

  /** Uniform in ±sqrt(6 / inputs), in the order of PEFT's file. */
  private static float[] kaiming(TorchRandom random, Tensor matrix, long inputs) {
    double bound = Math.sqrt(3.0) * (Math.sqrt(2) / Math.sqrt((double) inputs));
    return random.uniform(Math.toIntExact(matrix.elements()), bound);
  }

  @Override
  public boolean adapts(String module) {
    return modules.contains(module);
  }

  @Override
  public Projection on(String module, FrozenProjection base) {
    return new VeraProjection(
        base,
        a.slice(0, base.weight().cols()),
        b.slice(0, base.weight().rows()),
        parameters.named(PeftNames.of(module, VeraSpec.LAMBDA_B)),
        parameters.named(PeftNames.of(module, VeraSpec.LAMBDA_D)),
        new InputDropout(spec.dropout(), modules.indexOf(module), dropout),
        scratch);
  }
}
