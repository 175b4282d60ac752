package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.ParameterGroup;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The description of a VeRA adapter (arXiv:2310.11454): out = x W^T + bias + b * ((d * (x A^T))
 * B^T), where the vectors b [O] and d [r] train, and the random matrices A and B, which all targets
 * share, do not. A target of fewer inputs or outputs takes the first columns of A and rows of B.
 *
 * @param rank r
 * @param dropout rate in [0, 1) on the adapter's input, when training
 * @param initial d before training; b starts as 0
 * @param projectionKey seed of A and B: PEFT's {@code projection_prng_key}
 * @param projectionStored whether the adapter's file must hold A and B; else they are drawn again
 *     where it does not. Saving stores them always
 */
public record VeraSpec(
    int rank,
    double dropout,
    double initial,
    long projectionKey,
    boolean projectionStored,
    TargetModules targets,
    List<String> modulesToSave)
    implements AdapterSpec {

  static final String PEFT_TYPE = "VERA";

  /** A [r, I] of the most inputs. */
  static final String A = "base_model.vera_A";

  /** B [O, r] of the most outputs. */
  static final String B = "base_model.vera_B";

  /** b [O]. */
  static final String LAMBDA_B = ".vera_lambda_b";

  /** d [r]. */
  static final String LAMBDA_D = ".vera_lambda_d";

  private static final Set<String> KEYS =
      Set.of(
          "bias",
          "d_initial",
          "init_weights",
          "layers_pattern",
          "layers_to_transform",
          "projection_prng_key",
          "r",
          "save_projection",
          "vera_dropout");

  /** Checks the ranges. */
  public VeraSpec {
    modulesToSave = WholeModules.checkedNames(modulesToSave);
    if (rank < 1) {
      throw new AdapterException("VeRA rank r must be at least 1, got " + rank);
    }
    if (!(dropout >= 0 && dropout < 1)) {
      throw new AdapterException("VeRA dropout must be at least 0 and below 1, got " + dropout);
    }
    if (!Double.isFinite(initial)) {
      throw new AdapterException("VeRA d_initial must be a number, got " + initial);
    }
    if (targets.excluded().isPresent()) {
      throw new AdapterException("VeRA has no exclude_modules: let target_modules leave them out");
    }
  }

  @Override
  public String peftType() {
    return PEFT_TYPE;
  }

  @Override
  public VeraSpec withTargets(TargetModules other) {
    return new VeraSpec(
        rank, dropout, initial, projectionKey, projectionStored, other, modulesToSave);
  }

  @Override
  public String describe() {
    return "VeRA r %d on %s".formatted(rank, targets.describe());
  }

  @Override
  public void declare(Parameters.Builder builder, List<AdapterTarget> on) {
    for (AdapterTarget t : on) {
      t.requireLinear("VeRA");
      builder.add(PeftNames.of(t.module(), LAMBDA_B), ParameterGroup.NORMAL, true, t.outputs());
      builder.add(PeftNames.of(t.module(), LAMBDA_D), ParameterGroup.NORMAL, true, rank);
    }
    long inputs = AdapterTarget.largest(on, AdapterTarget::inputs);
    long outputs = AdapterTarget.largest(on, AdapterTarget::outputs);
    builder.addTransposedConstant(A, projectionStored, inputs, rank);
    builder.addConstant(B, projectionStored, outputs, rank);
  }

  @Override
  public Adapter build(
      List<AdapterTarget> on, Parameters parameters, long seed, Kernels kernels, Scope scope) {
    return new VeraAdapter(this, on, parameters, kernels, scope);
  }

  /** Backward makes both products again, then the gradients of what they multiply. */
  @Override
  public double operations(AdapterTarget t, double forwards, boolean inputGradient) {
    double inputs = (forwards + (inputGradient ? 2 : 1)) * t.inputs();
    return 2.0 * rank * (inputs + (forwards + 2) * t.outputs());
  }

  @Override
  public List<String> tensorSuffixes() {
    return List.of(LAMBDA_B, LAMBDA_D);
  }

  @Override
  public List<String> sharedTensors() {
    return List.of(A, B);
  }

  @Override
  public List<TensorMerge> merges(AdapterTensors module) {
    return List.of(VeraMerge.of(module));
  }

  @Override
  public Map<String, @Nullable Object> peftKeys(Set<String> targetNames) {
    Map<String, @Nullable Object> json = new TreeMap<>(PeftConfig.layers(targets));
    json.put("bias", "none");
    json.put("d_initial", initial);
    json.put("init_weights", true);
    json.put("projection_prng_key", projectionKey);
    json.put("r", rank);
    json.put("save_projection", true);
    json.put("vera_dropout", dropout);
    return json;
  }

  static VeraSpec read(PeftJson json) {
    json.findUnsupported(KEYS, Set.of(), Set.of());
    json.readExtras("none", "all", "vera_only");
    int rank = json.whole("r", 256);
    double dropout = json.number("vera_dropout", 0);
    double initial = json.number("d_initial", 0.1);
    long key = json.whole("projection_prng_key", 0);
    boolean stored = json.flag("save_projection", true);
    return json.build(() ->
        new VeraSpec(
            rank,
            dropout,
            initial,
            key,
            stored,
            json.targets(ModuleChoice.ModelDefault.QUERY_AND_VALUE),
            json.modulesToSave()));
  }
}
