package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The description of a LoRA adapter (arXiv:2106.09685), see {@link LowRankUpdate}.
 *
 * @param ranks rank and scale of each module
 * @param dropout rate in [0, 1) on the adapter's input, when training
 * @param dora whether a magnitude for each output trains too (DoRA, arXiv:2402.09353)
 * @param bias whether B has a bias
 * @param start initial values
 */
public record LoraSpec(
    LoraRanks ranks,
    double dropout,
    TargetModules targets,
    List<String> modulesToSave,
    boolean dora,
    boolean bias,
    LoraStart start)
    implements AdapterSpec {

  static final String PEFT_TYPE = "LORA";

  /** Checks the ranges, and that the parts go together. */
  public LoraSpec {
    modulesToSave = WholeModules.checkedNames(modulesToSave);
    if (!(dropout >= 0 && dropout < 1)) {
      throw new AdapterException("LoRA dropout must be at least 0 and below 1, got " + dropout);
    }
    if (bias && dora) {
      throw new AdapterException(
          "a bias of the adapter does not go with DoRA: leave one of them out");
    }
    if (bias && !(start instanceof LoraStart.Zero || start instanceof LoraStart.Noise)) {
      throw new AdapterException(
          "a bias of the adapter goes with its default and its random start only, not with "
              + start.written());
    }
    if (start instanceof LoraStart.Orthogonal) {
      checkEven(ranks.r());
      ranks.rankPattern().values().forEach(LoraSpec::checkEven);
    }
  }

  /** Plain LoRA. */
  public LoraSpec(int r, double alpha, double dropout, TargetModules targets) {
    this(LoraRanks.same(r, alpha), dropout, targets, List.of(), false, false, new LoraStart.Zero());
  }

  private static void checkEven(int rank) {
    if (rank % 2 != 0) {
      throw new AdapterException("init_lora_weights orthogonal needs an even rank, got " + rank);
    }
  }

  @Override
  public String peftType() {
    return PEFT_TYPE;
  }

  @Override
  public String describe() {
    return "%s r %d, alpha %s, on %s"
        .formatted(
            dora ? "DoRA" : "LoRA",
            ranks.r(),
            PeftConfig.number(ranks.alpha()),
            targets.describe());
  }

  @Override
  public void declare(Parameters.Builder builder, List<AdapterTarget> on) {
    LoraAdapter.declare(builder, this, on);
  }

  @Override
  public Adapter build(
      List<AdapterTarget> on, Parameters parameters, long seed, Kernels kernels, Scope scope) {
    return new LoraAdapter(this, on, parameters, seed, kernels, scope);
  }

  /** Backward makes A x again, then the gradients of B, of A x, of A and of x; DoRA also V x. */
  @Override
  public double operations(AdapterTarget t, double forwards, boolean inputGradient) {
    double inputs = t.inputs();
    double outputs = t.outputs();
    double rank = ranks.rank(t.module());
    double backward = (inputGradient ? 3 : 2) * inputs + 2 * outputs;
    double sum = 2 * rank * (forwards * (inputs + outputs) + backward);
    return dora ? sum + 2 * outputs * inputs + 2 * rank * (inputs + outputs) : sum;
  }

  @Override
  public List<String> tensorSuffixes() {
    return LoraNames.SUFFIXES;
  }

  @Override
  public Map<String, @Nullable Object> peftKeys(Set<String> targetNames) {
    return LoraPeftKeys.of(this);
  }

  @Override
  public List<TensorMerge> merges(AdapterTensors module) {
    return LoraMerge.of(this, module);
  }

  @Override
  public SavedAdapter forUnchangedBase(Parameters parameters, Kernels kernels) {
    return changesBase()
        ? ConvertedLora.of(this, parameters, kernels)
        : SavedAdapter.exact(this, parameters, kernels);
  }

  @Override
  public boolean changesBase() {
    return start.changesBase();
  }

  @Override
  public void checkMergeable() {
    if (start.changesBase()) {
      throw new AdapterException(
          "\"init_lora_weights\" is \"%s\": this adapter belongs to a base that its initialisation changed, and the change is not in the folder. Merge an adapter that was saved as plain LoRA: the folder of a finished run, not a checkpoint in it, or what PEFT saves with path_initial_model_for_weight_conversion"
              .formatted(start.written()));
    }
  }

  @Override
  public void checkBase(boolean head, boolean tiedHead, boolean quantized) {
    boolean loftq = start instanceof LoraStart.Loftq;
    if (loftq && !quantized) {
      throw new AdapterException(
          "init_lora_weights loftq makes up for what quantisation loses: it needs a base that is put in 4 bits");
    }
    if (head && (loftq || (start.changesBase() && tiedHead))) {
      throw new AdapterException(
          "init_lora_weights %s does not go with an adapter on %s output head: leave lm_head out of the target modules"
              .formatted(start.written(), tiedHead ? "a tied" : "an unquantised"));
    }
  }

  @Override
  public LoraSpec withFastStart() {
    return withStart(new LoraStart.Zero());
  }

  @Override
  public AdapterSpec inUse(Set<String> modules, boolean withHead) {
    return withTargets(targets.inUse(modules, withHead)).withRanks(ranks.inUse(modules));
  }

  @Override
  public void checkTrainable(List<AdapterTarget> on) {
    ranks.requireUse(on.stream().map(AdapterTarget::module).toList());
    List<String> without =
        on.stream().filter(t -> bias && !t.hasBias()).map(AdapterTarget::module).toList();
    if (!without.isEmpty()) {
      throw new AdapterException(
          "a bias of the adapter cannot be merged into modules that have none, and so no other tool could use it: %s have none. Leave the bias out, or choose target modules with one"
              .formatted(TargetModules.shortNames(without)));
    }
  }

  @Override
  public LoraSpec withTargets(TargetModules other) {
    return new LoraSpec(ranks, dropout, other, modulesToSave, dora, bias, start);
  }

  /** With other ranks and scales. */
  public LoraSpec withRanks(LoraRanks other) {
    return new LoraSpec(other, dropout, targets, modulesToSave, dora, bias, start);
  }

  /** With modules that train as a whole. */
  public LoraSpec withModulesToSave(String... names) {
    return new LoraSpec(ranks, dropout, targets, List.of(names), dora, bias, start);
  }

  /** As DoRA. */
  public LoraSpec withDora() {
    return new LoraSpec(ranks, dropout, targets, modulesToSave, true, bias, start);
  }

  /** With a bias in B. */
  public LoraSpec withBias() {
    return new LoraSpec(ranks, dropout, targets, modulesToSave, dora, true, start);
  }

  /** With other initial values. */
  public LoraSpec withStart(LoraStart other) {
    return new LoraSpec(ranks, dropout, targets, modulesToSave, dora, bias, other);
  }
}
